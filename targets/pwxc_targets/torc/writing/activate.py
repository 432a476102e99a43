"""What ACTIVATE gives to its jobs, as torc's jobs have it: variables, folders, the file for outputs (pw.md §12)."""

from __future__ import annotations

_VARIABLES = {
    "PW_PARENT_JOB_DIR": '"$PWD"',
    "PW_JOB_DIR": '"$PWD"',
    "PW_RUN_SLUG": '"run_$TORC_WORKFLOW_ID"',
    "PW_JOB_ID": '"run_$TORC_WORKFLOW_ID"',
    "PW_JOB_NUMBER": '"$(printf %05d "$TORC_WORKFLOW_ID")"',
    "PW_USER": '"$(id -un)"',
}
RUN_FOLDERS = ("", ".", "./", "$PW_PARENT_JOB_DIR", "${PW_PARENT_JOB_DIR}", "$PW_JOB_DIR", "${PW_JOB_DIR}")
"""Spellings of the folder in which a job starts: the run's there, the worker's here."""
REPORTS_OPEN = ('mkdir -p "$task/values"', 'export OUTPUTS="$task/outputs"', ': > "$OUTPUTS"')
REPORTS_CLOSE = (
    "while IFS='=' read -r key value; do",
    '  if [ -n "$key" ]; then printf \'%s\' "$value" > "$task/values/$key"; fi',
    'done < "$OUTPUTS"',
)


def exports(texts: list[str]) -> list[str]:
    """Give the lines that set those of the platform's variables that some texts use."""
    return [f"export {name}={value}" for name, value in _VARIABLES.items() if any(name in text for text in texts)]
