"""What drf-spectacular cannot see by itself: problems, the idempotency key, states, tokens."""

from typing import Any

from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import Direction, OpenApiParameter

PROBLEM = ResolvedComponent(
    name="Problem",
    type=ResolvedComponent.SCHEMA,
    object="Problem",
    schema={
        "type": "object",
        "description": "An error, as RFC 9457 has it; a refusal may carry more members.",
        "required": ["type", "title", "status", "detail", "code", "instance", "errors"],
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": {"type": "string", "description": "For programs; it never changes."},
            "instance": {"type": "string", "description": "The path that was asked."},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["field", "message"],
                    "properties": {
                        "field": {"type": "string", "example": "lines[0].quantity"},
                        "message": {"type": "string"},
                    },
                },
            },
        },
        "additionalProperties": True,
    },
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    location=OpenApiParameter.HEADER,
    description="Sent again with the same request it answers the same and does nothing.",
)


class Described(AutoSchema):
    """Every operation may end in a problem; those that take effect once take a key."""

    def get_override_parameters(self) -> list[Any]:
        verb = getattr(self.view, getattr(self.view, "action", None) or "", None)
        keyed = [IDEMPOTENCY_KEY] if getattr(verb, "takes_effect_once", False) else []
        return [*super().get_override_parameters(), *keyed]

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation = super().get_operation(*args, **kwargs)
        if operation is not None:
            self.registry.register_on_missing(PROBLEM)
            operation["responses"]["default"] = {
                "description": "A problem",
                "content": {"application/problem+json": {"schema": PROBLEM.ref}},
            }
        return operation


class HashedTokenScheme(KnoxTokenScheme):
    """Our token is knox's."""

    target_class = "o2b.api.tokens.HashedToken"
    name = "token"


class StateExtension(OpenApiSerializerFieldExtension):
    """A life cycle is one named enumeration, wherever it is shown."""

    target_class = "o2b.api.fields.State"

    def map_serializer_field(self, auto_schema: Any, direction: Direction) -> dict[str, Any]:
        component = ResolvedComponent(
            name=self.target.enumeration,
            type=ResolvedComponent.SCHEMA,
            object=self.target.enumeration,
            schema={"type": "string", "enum": self.target.values},
        )
        auto_schema.registry.register_on_missing(component)
        return component.ref


class DecimalStringExtension(OpenApiSerializerFieldExtension):
    """Numbers go out as strings."""

    target_class = "o2b.api.fields.Plain"
    match_subclasses = True
    example = "2.5"

    def map_serializer_field(self, auto_schema: Any, direction: Direction) -> dict[str, Any]:
        return {"type": "string", "format": "decimal", "readOnly": True, "example": self.example}


class AmountExtension(DecimalStringExtension):
    """So does money, with the decimals of its currency."""

    target_class = "o2b.api.fields.Amount"
    example = "49.90"


class ExactExtension(OpenApiSerializerFieldExtension):
    """Numbers come in as strings or as numbers."""

    target_class = "o2b.api.fields.Exact"

    def map_serializer_field(self, auto_schema: Any, direction: Direction) -> dict[str, Any]:
        return {"oneOf": [{"type": "string", "format": "decimal"}, {"type": "number"}]}


class KeyOrReferenceExtension(OpenApiSerializerFieldExtension):
    """A number or a reference."""

    target_class = "o2b.api.fields.KeyOrReference"

    def map_serializer_field(self, auto_schema: Any, direction: Direction) -> dict[str, Any]:
        return {"oneOf": [{"type": "string"}, {"type": "integer"}]}


class LinkExtension(OpenApiSerializerFieldExtension):
    """A path."""

    target_class = "o2b.api.fields.Link"

    def map_serializer_field(self, auto_schema: Any, direction: Direction) -> dict[str, Any]:
        return {"type": "string", "format": "uri-reference", "readOnly": True}
