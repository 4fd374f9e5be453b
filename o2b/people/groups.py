"""Which group may do what: the one table, by permission name, so that no stage is imported."""

from django.utils.translation import gettext_noop

SALES = gettext_noop("sales")
ORDER_TEAM = gettext_noop("order team")
ORDER_LEAD = gettext_noop("order lead")
FINANCE = gettext_noop("finance")
PRODUCT = gettext_noop("product")
ADMINISTRATOR = gettext_noop("administrator")
# A machine that measures: its key sends usage, and does nothing else.
USAGE_SENDER = gettext_noop("usage sender")
# The customer's product logs in with a key that answers what may be used, and nothing else.
ENTITLEMENT_CHECKER = gettext_noop("entitlement checker")

SEE_OFFERS = (
    "customers.view_account",
    "catalog.view_product",
    "quotes.view_quote",
    "orders.view_order",
    "subscriptions.view_subscription",
    "subscriptions.check_entitlement",
    "subscriptions.see_usage",
)
SEE_MONEY = (
    *("billing.view_billrun", "billing.view_invoice", "billing.view_promise"),
    *("taxes.view_taxrate", "billing.view_posting"),
)
SELL = (
    "customers.change_account",
    "quotes.edit_quote",
    "quotes.send_quote",
    "orders.accept_quote",
    "orders.hear_complaints",
    "subscriptions.set_usage_alerts",
    "billing.look_at_bills",
)
DELIVER = ("orders.place_order", "orders.work_tasks", "subscriptions.manage_pool")
LEAD = (
    *("orders.approve_work", "orders.manage_work", "orders.hear_complaints"),
    "subscriptions.grant_units",
)
BILL = (
    *("billing.run_bills", "billing.approve_run", "billing.record_payment"),
    *("billing.set_run_rules", "billing.look_at_bills"),
    "billing.send_invoices",
    *("billing.grant_money", "billing.approve_grant"),
    *("billing.share_charges", "billing.approve_payers"),
    *("billing.make_coupon", "billing.publish_coupon"),
    *("billing.grant_coupon", "billing.set_minimum"),
    *("subscriptions.send_usage", "subscriptions.mend_usage", "subscriptions.set_usage_alerts"),
    *("subscriptions.manage_pool", "subscriptions.grant_units"),
    "taxes.change_taxrate",
)
RUN_CATALOG = ("catalog.change_product", "catalog.publish", "catalog.change_contract")
SET_UP = (
    "o2b.view_testclock",
    "o2b.run_testclocks",
    "people.view_user",
    "people.add_user",
    "people.change_user",
    "auth.view_group",
    "auth.change_group",
    "orders.view_queue",
    "orders.add_queue",
    "orders.change_queue",
    "orders.view_queuemember",
    "orders.add_queuemember",
    "orders.change_queuemember",
    "orders.delete_queuemember",
    "orders.view_workcalendar",
    "orders.add_workcalendar",
    "orders.change_workcalendar",
    "orders.view_escalationrule",
    "orders.add_escalationrule",
    "orders.change_escalationrule",
    "orders.delete_escalationrule",
    "orders.view_falloutrule",
    "orders.view_outsidesystem",
    "orders.change_outsidesystem",
    "subscriptions.view_usagealertdefault",
    "subscriptions.add_usagealertdefault",
    "subscriptions.change_usagealertdefault",
)

GROUPS: dict[str, tuple[str, ...]] = {
    SALES: (*SEE_OFFERS, "billing.view_invoice", *SELL),
    ORDER_TEAM: (*SEE_OFFERS, *DELIVER),
    ORDER_LEAD: (*SEE_OFFERS, *DELIVER, *LEAD),
    FINANCE: (*SEE_OFFERS, *SEE_MONEY, *BILL),
    PRODUCT: (*SEE_OFFERS, *RUN_CATALOG),
    ADMINISTRATOR: (*SEE_OFFERS, *SEE_MONEY, *SELL, *DELIVER, *LEAD, *BILL, *RUN_CATALOG, *SET_UP),
    ENTITLEMENT_CHECKER: ("subscriptions.check_entitlement",),
    USAGE_SENDER: ("subscriptions.send_usage",),
}
