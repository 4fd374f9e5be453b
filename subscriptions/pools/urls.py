"""The addresses of pools."""

from django.urls import URLPattern, URLResolver, path

from subscriptions.pools.views import lists, pages, verbs

urlpatterns: list[URLPattern | URLResolver] = [
    path("pools/", lists.PoolList.as_view(), name="pools"),
    path("pools/new/", verbs.new, name="pool-new"),
    path("pools/accounts/", lists.accounts, name="pool-accounts"),
    path("pools/services/", lists.services, name="pool-service-options"),
    path("pools/of-account/<int:pk>/", lists.of_account, name="pools-of-account"),
    path("pools/<int:pk>/", pages.PoolPage.as_view(), name="pool"),
    path("pools/<int:pk>/drawers/", pages.DrawerList.as_view(), name="pool-drawers"),
    path("pools/<int:pk>/lots/", pages.LotList.as_view(), name="pool-lots"),
    path("pools/<int:pk>/members/", pages.MemberList.as_view(), name="pool-members"),
    path("pools/<int:pk>/share/", verbs.share, name="pool-share"),
    path("pools/<int:pk>/give/", verbs.give, name="pool-give"),
    path("pools/<int:pk>/rename/", verbs.rename, name="pool-rename"),
    path("pools/<int:pk>/harden/", verbs.harden, name="pool-harden"),
    path("pools/<int:pk>/refill/", verbs.refill, name="pool-refill"),
    path("pools/<int:pk>/refill/stop/", verbs.stop_refill, name="pool-refill-stop"),
    path("pools/members/<int:pk>/end/", verbs.end_member, name="pool-member-end"),
    path("pools/grants/<int:pk>/end/", verbs.take_back, name="pool-grant-end"),
]
