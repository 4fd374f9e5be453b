"""The Postgres triggers that freeze a row: for ever, or but for a few columns once published."""

import pgtrigger

NOT_TRUNCATED = pgtrigger.Trigger(
    name="not_truncated",
    operation=pgtrigger.Truncate,
    level=pgtrigger.Statement,
    when=pgtrigger.Before,
    func="RAISE EXCEPTION 'o2b: % keeps what it was told; it is never truncated', TG_TABLE_NAME;",
)

NEVER = [
    pgtrigger.Protect(name="frozen", operation=pgtrigger.Update | pgtrigger.Delete),
    NOT_TRUNCATED,
]


def published_only(*mutable: str) -> list[pgtrigger.Trigger]:
    """Once it is no draft, a row may change in these columns only, and never goes away."""
    columns = ", ".join(f"'{column}'" for column in mutable)
    return [
        pgtrigger.Trigger(
            name="frozen_once_published",
            operation=pgtrigger.Update,
            when=pgtrigger.Before,
            condition=pgtrigger.Q(old__state__in=["published", "retired"]),
            func=f"""
            IF NEW.state = 'draft' OR (to_jsonb(OLD) - ARRAY[{columns}])
                    IS DISTINCT FROM (to_jsonb(NEW) - ARRAY[{columns}]) THEN
                RAISE EXCEPTION 'o2b: a published row of % is frozen', TG_TABLE_NAME;
            END IF;
            RETURN NEW;
            """,
        ),
        pgtrigger.Protect(
            name="kept_once_published",
            operation=pgtrigger.Delete,
            condition=~pgtrigger.Q(old__state="draft"),
        ),
        NOT_TRUNCATED,
    ]


def child_of_draft(*, parent_table: str, column: str) -> list[pgtrigger.Trigger]:
    """A row may come, change, move or go only while both its parents, old and new, are drafts."""
    return [
        pgtrigger.Trigger(
            name="frozen_with_parent",
            operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
            when=pgtrigger.Before,
            declare=[("parent_state", "TEXT")],
            func=f"""
            SELECT state INTO parent_state FROM {parent_table}
                WHERE id IN (NEW.{column}, OLD.{column}) AND state <> 'draft' LIMIT 1;
            IF FOUND THEN
                RAISE EXCEPTION 'o2b: a row of % is frozen, for its {parent_table} is %',
                    TG_TABLE_NAME, parent_state;
            END IF;
            RETURN COALESCE(NEW, OLD);
            """,
        ),
        NOT_TRUNCATED,
    ]


def children_of_draft(*, parent_table: str, column: str) -> list[pgtrigger.Trigger]:
    """The same law as `child_of_draft`, looked at once a statement: for rows that come by COPY."""
    changes = {
        "insert": (pgtrigger.Insert, {"new": "came"}, f"SELECT {column} FROM came"),
        "delete": (pgtrigger.Delete, {"old": "went"}, f"SELECT {column} FROM went"),
        "update": (
            pgtrigger.Update,
            {"old": "went", "new": "came"},
            f"SELECT {column} FROM went UNION ALL SELECT {column} FROM came",
        ),
    }
    return [
        *(
            pgtrigger.Trigger(
                name=f"frozen_with_parent_{name}",
                operation=operation,
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                referencing=pgtrigger.Referencing(**rows),
                declare=[("parent_state", "TEXT")],
                func=f"""
                SELECT state INTO parent_state FROM {parent_table}
                    WHERE state <> 'draft' AND id IN ({touched}) LIMIT 1;
                IF FOUND THEN
                    RAISE EXCEPTION 'o2b: a row of % is frozen, for its {parent_table} is %',
                        TG_TABLE_NAME, parent_state;
                END IF;
                RETURN NULL;
                """,
            )
            for name, (operation, rows, touched) in changes.items()
        ),
        NOT_TRUNCATED,
    ]
