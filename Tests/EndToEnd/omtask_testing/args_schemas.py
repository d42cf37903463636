"""Args schemas at random, most of them wrong in one way or another."""

import random
from typing import Any

TYPES = ("string", "integer", "number", "boolean", "null", "object", "array")
RESERVED = ("zarr_url", "zarr_urls", "zarr_dir", "init_args")
DEFAULTS = ("", " ", 0, 1.5, False, None, ["a", ""], {"": 1}, {"a": ""}, [1])
CHOICES = (["a", "b"], [1, 2], [1, "a"], [1, 1.5], [True, 1], [None, "a"])


def args_schema(rng: random.Random) -> dict[str, Any]:
    """A whole args schema with two definitions and up to three parameters of its own."""
    names = "xyz"[: rng.randint(1, 3)]
    reserved = rng.sample(RESERVED, rng.randint(0, 4))
    return {
        "type": "object",
        "title": "Task",
        "$defs": {"a": part(rng, 2), "b": part(rng, 2)},
        "properties": {name: part(rng, 0) for name in names}
        | {name: {"type": "string"} for name in reserved},
    }


def part(rng: random.Random, depth: int) -> dict[str, Any]:
    """A schema that holds others down to depth 3."""
    schema: dict[str, Any] = {} if rng.random() < 0.1 else plain(rng)
    for chance, key, values in (
        (0.3, "default", DEFAULTS),
        (0.15, "enum", CHOICES),
        (0.1, "name", ("args", "x", "v__args")),
        (0.05, "definitions", ({},)),
        (0.1, "prefixItems", ([{"type": "boolean"}], [{"type": "string"}])),
        (0.1, "additionalProperties", ({"type": "boolean"}, False, {"type": "string"})),
        (0.1, "discriminator", ({"propertyName": "k", "mapping": {}},)),
    ):
        if rng.random() < chance:
            schema[key] = rng.choice(values)
    if depth == 3:
        return schema
    if rng.random() < 0.25:
        schema["anyOf"] = [alternative(rng, depth) for _ in range(rng.choice((1, 2, 2, 2, 3)))]
        if rng.random() < 0.5:
            schema.pop("type", None)
    if rng.random() < 0.1:
        schema["oneOf"] = [rng.choice(({"$ref": "#/$defs/a"}, plain(rng))) for _ in range(2)]
    if rng.random() < 0.15:
        schema["items"] = part(rng, depth + 1)
    if rng.random() < 0.15:
        schema["properties"] = {name: part(rng, depth + 1) for name in "pq"}
    return schema


def plain(rng: random.Random) -> dict[str, Any]:
    return {"type": rng.choice(TYPES)}


def alternative(rng: random.Random, depth: int) -> dict[str, Any]:
    simple = ({"type": "null"}, {"type": "boolean"}, {"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"})
    return rng.choice((*simple, plain(rng), part(rng, depth + 1)))
