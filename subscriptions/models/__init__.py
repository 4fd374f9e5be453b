"""What subscriptions remembers: services, their items, dated facts, versions, equipment."""

from subscriptions.models.changes import ORDERED, Act, ItemChange, SuspensionBilling
from subscriptions.models.commitments import (
    Commitment,
    LeavingFee,
    PriceMove,
    Renewal,
    RenewalDue,
)
from subscriptions.models.equipment import Equipment
from subscriptions.models.items import Item, Subscription
from subscriptions.models.pools import Pool, PoolGrant, PoolMember, PoolService
from subscriptions.models.quoted import QuotedChange, QuotedDelta
from subscriptions.models.refills import PoolRefill, PoolRefillOrder
from subscriptions.models.states import InService, ServiceState
from subscriptions.models.usage import (
    How,
    UsageCorrection,
    UsageDay,
    UsageEvent,
    UsageKey,
    UsageKind,
    UsageMark,
    UsagePending,
    UsageRejected,
    UsageSource,
    UsageSubject,
    UsageTotal,
    Waiting,
)
from subscriptions.models.usage_alerts import (
    AlertOf,
    UsageAlert,
    UsageAlertDefault,
    UsageAlertDue,
    UsageAlertLook,
    UsageAlertSent,
)
from subscriptions.models.usage_files import (
    FileShape,
    FileState,
    RowStatus,
    UsageFile,
    UsageFilePart,
    UsageFileRow,
    UsageMapping,
)
from subscriptions.models.versions import ItemVersion, Standing

__all__ = [
    "ORDERED",
    "Act",
    "AlertOf",
    "Commitment",
    "Equipment",
    "FileShape",
    "FileState",
    "How",
    "InService",
    "Item",
    "ItemChange",
    "ItemVersion",
    "LeavingFee",
    "Pool",
    "PoolGrant",
    "PoolMember",
    "PoolRefill",
    "PoolRefillOrder",
    "PoolService",
    "PriceMove",
    "QuotedChange",
    "QuotedDelta",
    "Renewal",
    "RenewalDue",
    "RowStatus",
    "ServiceState",
    "Standing",
    "Subscription",
    "SuspensionBilling",
    "UsageAlert",
    "UsageAlertDefault",
    "UsageAlertDue",
    "UsageAlertLook",
    "UsageAlertSent",
    "UsageCorrection",
    "UsageDay",
    "UsageEvent",
    "UsageFile",
    "UsageFilePart",
    "UsageFileRow",
    "UsageKey",
    "UsageKind",
    "UsageMapping",
    "UsageMark",
    "UsagePending",
    "UsageRejected",
    "UsageSource",
    "UsageSubject",
    "UsageTotal",
    "Waiting",
]
