"""What texts in torc's formats have to say: rows PWX23xx."""

from __future__ import annotations

from pwxc.diagnostics import error, warning

JSON_SYNTAX = error(
    "PWX2301",
    "torc-json-syntax",
    "The text is not JSON, or not JSON5 where that is read.",
    "Look near the place that is marked. Comments and trailing commas are JSON5: name the file `.json5`.",
    '{name: "w", jobs: [}',
)

KDL_SYNTAX = error(
    "PWX2302",
    "torc-kdl-syntax",
    "The text is not KDL of version 2, which torc reads.",
    'Booleans are `#true` and `#false`, null is `#null`, raw text is `#"…"#`.',
    "use_pending_failed true",
)

KDL_IGNORED = warning(
    "PWX2303",
    "torc-kdl-ignored",
    "torc's reader of KDL looks only for the nodes it knows and takes the first value of most. The rest counts for"
    " nothing, without a word.",
    "Correct the node's name; repeat a node for each value.",
    'job "b" { blocked_by "a" }',
)

MERGE_KEY = error(
    "PWX2304",
    "torc-merge-key",
    "torc's YAML has anchors and aliases, but no merge keys: it refuses `<<` as an unknown field.",
    "Write the keys out.",
    "jobs:\n- {<<: *base, name: a, command: make}",
)
