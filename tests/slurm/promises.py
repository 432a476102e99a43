"""Small workflows in the words of each system, with what it promises about a run of them.

`@LOG@` in a text is a folder outside the run, in which the commands leave their traces.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from pwxc.expr.values import Value
from pwxc.semantics.environment import Fact, Fails, Publishes, SiteRetries, Takes

HOSTILE = "a'b\"c $(touch pwned) `touch pwned` ${HOME} \\ ;&|<>*?~ # %j ä漢\nsecond line"


@attrs.frozen
class Promise:
    """A workflow with what is known of its commands (`facts`), and how the whole ends."""

    origin: str
    text: str
    facts: Sequence[Fact] = ()
    arguments: Sequence[str] = ()
    inputs: Mapping[str, Value] = attrs.field(factory=dict)
    options: Mapping[str, str] = attrs.field(factory=dict)
    values: Mapping[str, object] = attrs.field(factory=dict)
    ends_well: bool = True
    allow: Sequence[str] = ()


OSMO_SERIAL = """
workflow:
  name: serial
  tasks:
  - {name: first, image: x, command: [bash, -c], args: ["echo 41 > {{output}}/number"]}
  - name: second
    image: x
    command: [bash, -c]
    args: ["echo $(($(cat {{input:0}}/number) + 1)) > {{output}}/number"]
    inputs: [{task: first}]
  - name: third
    image: x
    command: [bash, -c]
    args: ["cat {{input:first}}/number {{input:second}}/number > @LOG@/all"]
    inputs: [{task: second}, {task: first}]
"""

OSMO_MIDDLE = """
workflow:
  name: middle
  tasks:
  - {name: good, image: x, command: [bash, -c], args: ["echo good >> @LOG@/order"]}
  - {name: bad, image: x, command: [bash, -c], args: ["echo bad >> @LOG@/order; exit 3"], inputs: [{task: good}]}
  - {name: child, image: x, command: [bash, -c], args: ["echo child >> @LOG@/order"], inputs: [{task: bad}]}
  - {name: grandchild, image: x, command: [bash, -c], args: ["echo no >> @LOG@/order"], inputs: [{task: child}]}
  - {name: beside, image: x, command: [bash, -c], args: ["echo beside >> @LOG@/order"], inputs: [{task: good}]}
"""

OSMO_GANG = """
workflow:
  name: gang
  groups:
  - name: pair
    tasks:
    - name: server
      image: x
      command: [bash, -c]
      args: ["echo server >> @LOG@/order; sleep 100 && echo never >> @LOG@/order"]
    - name: client
      lead: true
      image: x
      command: [bash, -c]
      args: ["echo {{host:server}} > @LOG@/host; echo client >> @LOG@/order; sleep 1; echo 7 > {{output}}/x"]
  - name: after
    tasks:
    - name: next
      image: x
      command: [bash, -c]
      args: ["echo next$(cat {{input:0}}/x) >> @LOG@/order"]
      inputs: [{task: client}]
"""

OSMO_LIMIT = """
workflow:
  name: limit
  timeout: {exec_timeout: 3s}
  tasks:
  - {name: long, image: x, command: [bash, -c], args: ["echo long >> @LOG@/order; sleep 100 && echo no >> @LOG@/order"]}
  - {name: never, image: x, command: [bash, -c], args: ["echo no >> @LOG@/order"], inputs: [{task: long}]}
  - {name: quick, image: x, command: [bash, -c], args: ["echo quick >> @LOG@/order"]}
"""

OSMO_MINUTE = OSMO_LIMIT.replace("3s", "1m")

OSMO_CODES = """
workflow:
  name: codes
  tasks:
  - name: again
    image: x
    command: [bash, -c]
    args: ["echo again >> @LOG@/order; [ $(grep -c again @LOG@/order) -ge 3 ] || exit 8"]
    exitActions: {RESCHEDULE: "7-9"}
  - {name: fine, image: x, command: [bash, -c], args: ["exit 4"], exitActions: {COMPLETE: "4"}}
  - {name: bad, image: x, command: [bash, -c], args: ["exit 0"], exitActions: {FAIL: "0"}}
  - {name: behind, image: x, command: [bash, -c], args: ["echo behind >> @LOG@/order"], inputs: [{task: fine}]}
  - {name: never, image: x, command: [bash, -c], args: ["echo no >> @LOG@/order"], inputs: [{task: bad}]}
"""

OSMO_INPUT = """
workflow:
  name: given
  tasks:
  - {name: count, image: x, command: [bash, -c], args: ["seq 1 {{ n }} > @LOG@/n"]}
default-values:
  n: 3
"""

OSMO_HOSTILE = """
workflow:
  name: given
  tasks:
  - name: say
    image: x
    command: [bash, /tmp/say.sh]
    args: [@HOSTILE@, "{{ word }}"]
    environment: {HOSTILE: @HOSTILE@, WORD: "{{ word }}"}
    files:
    - path: /tmp/say.sh
      contents: |
        printf %s "$1" > @LOG@/argument
        printf %s "$2" > @LOG@/word
        printf %s "$HOSTILE" > @LOG@/environment
        printf %s "$WORD" > @LOG@/given
    - {path: /tmp/file, contents: @HOSTILE@}
default-values:
  word: x
"""

PW_DIAMOND = """
jobs:
  a:
    steps:
    - run: echo a >> @LOG@/order
    - {id: made, run: "echo 'N=5' >> $OUTPUTS"}
  b:
    needs: [a]
    steps: [{run: "echo b >> @LOG@/order"}]
  c:
    needs: [a]
    steps: [{run: "echo c >> @LOG@/order"}]
  d:
    needs: [b, c, a]
    steps: [{run: "echo d${{ needs.a.steps.made.outputs.N }} >> @LOG@/order"}]
'on': {execute: {inputs: {}}}
"""

PW_ENDS = """
jobs:
  work:
    steps:
    - {run: "echo work >> @LOG@/order", cleanup: "echo undo >> @LOG@/order"}
    - {run: "exit 5"}
    - {run: "echo no >> @LOG@/order"}
    - {if: "${{ always }}", run: "echo last-step >> @LOG@/order"}
  next:
    needs: [work]
    steps: [{run: "echo no >> @LOG@/order"}]
  cleanup:
    needs: [work, next]
    if: ${{ always }}
    steps: [{run: "echo cleanup >> @LOG@/order"}]
  rescue:
    needs: [work]
    if: ${{ error }}
    steps: [{run: "echo rescue >> @LOG@/order"}]
  fine:
    steps: [{run: "echo fine >> @LOG@/order"}]
  unneeded:
    needs: [fine]
    if: ${{ error }}
    steps: [{run: "echo no >> @LOG@/order"}]
  unneeded-too:
    needs: [unneeded]
    if: ${{ error }}
    steps: [{run: "echo no >> @LOG@/order"}]
'on': {execute: {inputs: {}}}
"""

PW_MATRIX = """
jobs:
  many:
    strategy:
      max-parallel: 4
      fail-fast: false
      matrix: {i: [@TWENTY@]}
    steps:
    - run: |
        echo + >> @LOG@/moments
        sleep 0.5
        echo - >> @LOG@/moments
        touch @LOG@/${{ matrix.i }}.${PW_MATRIX_INDEX}
  after:
    needs: [many]
    steps: [{run: "ls @LOG@ | grep -c '^[0-9]' > @LOG@/count"}]
'on': {execute: {inputs: {}}}
""".replace("@TWENTY@", ", ".join(str(number) for number in range(100, 120)))

PW_FAIL_FAST = """
jobs:
  many:
    strategy: {matrix: {i: [0, 1, 2, 3]}, fail-fast: "${{ inputs.strict }}", max-parallel: "${{ inputs.most }}"}
    steps:
    - run: |
        if [ ${{ matrix.i }} = 1 ]; then sleep 2; exit 3; fi
        sleep 60 && echo no >> @LOG@/order
  next:
    needs: [many]
    steps: [{run: "echo no >> @LOG@/order"}]
'on': {execute: {inputs: {strict: {type: boolean, default: false}, most: {type: number, default: 4}}}}
"""

PW_EARLY = """
jobs:
  bad:
    steps: [{run: "sleep 2; exit 3"}]
  long:
    steps:
    - run: sleep 60 && echo no >> @LOG@/order
      early-cancel: any-job-failed
      cleanup: echo undo >> @LOG@/order
    - {if: "${{ canceled }}", run: "echo stopped >> @LOG@/order"}
    - {run: "echo no >> @LOG@/order"}
'on': {execute: {inputs: {}}}
"""

PW_WHOLE = """
timeout: 4s
jobs:
  quick:
    steps: [{run: "echo quick >> @LOG@/order"}]
  long:
    steps: [{run: "sleep 60 && echo no >> @LOG@/order"}]
  next:
    needs: [long]
    if: ${{ always }}
    steps: [{run: "echo no >> @LOG@/order"}]
'on': {execute: {inputs: {}}}
"""

PW_RETRY = """
jobs:
  again:
    steps:
    - run: |
        echo again${PW_WORKFLOW_STEP_CURRENT_RETRY} >> @LOG@/order
        [ $(grep -c again @LOG@/order) -ge 3 ]
      retry: {max-retries: 4, interval: 0s, timeout: 20s}
  slow:
    steps:
    - {run: "echo slow >> @LOG@/order; sleep 60", timeout: 2s}
  rescue:
    needs: [slow]
    if: ${{ error }}
    steps: [{run: "echo rescue >> @LOG@/order"}]
'on': {execute: {inputs: {}}}
"""

PW_INPUTS = """
jobs:
  say:
    steps:
    - run: printf %s "${{ inputs.word }}" '${{ inputs.word }}' > @LOG@/quoted
    - run: |
        cat > @LOG@/here <<END
        ${{ inputs.word }}
        END
    - run: printf %s "$WORD" > @LOG@/environment
      env: {WORD: "${{ inputs.word }}"}
  big:
    if: ${{ inputs.count > 3 }}
    steps: [{run: "echo ${{ inputs.count }} > @LOG@/count"}]
  small:
    if: ${{ inputs.count <= 3 }}
    steps: [{run: "echo no > @LOG@/count"}]
  behind:
    needs: [small]
    steps: [{run: "echo no > @LOG@/count"}]
'on':
  execute:
    inputs:
      word: {type: string, default: plain}
      count: {type: number, default: 2}
"""

TORC_FILES = """
name: files
files:
- {name: raw, path: @LOG@/raw}
- {name: sum, path: @LOG@/sum}
jobs:
- {name: use, command: "echo $(($(cat ${files.input.raw}) + 1)) > ${files.output.sum}"}
- {name: make, command: "echo 41 > ${files.output.raw}"}
- {name: end, command: "cp ${files.input.sum} @LOG@/all"}
"""

TORC_BLOCKED = """
name: blocked
jobs:
- {name: bad, command: "echo bad >> @LOG@/order; exit 2"}
- {name: child, command: "echo no >> @LOG@/order", depends_on: [bad]}
- {name: grandchild, command: "echo no >> @LOG@/order", depends_on: [child]}
- name: always
  command: echo always >> @LOG@/order
  depends_on: [bad, child]
  cancel_on_blocking_job_failure: false
"""

TORC_TIED = """
name: tied
parameters: {i: "1:4"}
jobs:
- {name: "one_{i}", command: "[ {i} != 2 ] || exit 1; sleep 0.{i}; echo one{i} >> @LOG@/order", use_parameters: [i]}
- {name: "two_{i}", command: "echo two{i} >> @LOG@/order", use_parameters: [i], depends_on: ["one_{i}"]}
- {name: all, command: "echo no >> @LOG@/order", depends_on_regexes: ["^two_"]}
"""

TORC_RETRY = """
name: retry
failure_handlers:
- name: flaky
  rules: [{exit_codes: [7, 8], recovery_script: "echo fix$TORC_RETURN_CODE >> @LOG@/order", max_retries: 4}]
- name: twice
  rules: [{match_all_exit_codes: true, max_retries: 2}]
jobs:
- name: again
  command: echo again$TORC_ATTEMPT_ID >> @LOG@/order; [ $TORC_ATTEMPT_ID -ge 3 ] || exit 8
  failure_handler: flaky
- {name: behind, command: "echo behind >> @LOG@/order", depends_on: [again]}
- {name: hopeless, command: "echo hopeless >> @LOG@/order; exit 1", failure_handler: twice}
- {name: never, command: "echo no >> @LOG@/order", depends_on: [hopeless]}
"""

TORC_HOOKS = """
name: hooks
jobs:
- {name: a, command: "echo a >> @LOG@/order"}
- {name: b, command: "echo b >> @LOG@/order; exit 1", depends_on: [a]}
- {name: c, command: "echo c >> @LOG@/order", depends_on: [b], cancel_on_blocking_job_failure: false}
actions:
- {trigger_type: on_workflow_start, action_type: run_commands, commands: ["echo start >> @LOG@/order"]}
- {trigger_type: on_jobs_complete, action_type: run_commands, commands: ["echo b-done >> @LOG@/order"], jobs: [b]}
- {trigger_type: on_workflow_complete, action_type: run_commands, commands: ["echo end >> @LOG@/order"]}
"""

TORC_LIMIT = """
name: limit
resource_requirements: [{name: short, num_cpus: 1, memory: 1g, runtime: PT3S}]
jobs:
- {name: long, command: "sleep 100", resource_requirements: short}
- {name: rescue, command: "echo rescue >> @LOG@/order", depends_on: [long], cancel_on_blocking_job_failure: false}
"""

PROMISES: dict[str, Promise] = {
    "osmo-serial": Promise("osmo", OSMO_SERIAL),
    "osmo-middle": Promise("osmo", OSMO_MIDDLE, [Fails("bad", codes=(3,))], ends_well=False),
    "osmo-gang": Promise("osmo", OSMO_GANG, [Takes("server", 100)]),
    "osmo-limit": Promise("osmo", OSMO_LIMIT, [Takes("long", 100)], ends_well=False),
    "osmo-minute": Promise("osmo", OSMO_MINUTE, [Takes("long", 100)], ends_well=False),
    "osmo-codes": Promise(
        "osmo", OSMO_CODES,
        [Fails("again", codes=(8, 8), goes_on=False), Fails("fine", codes=(4,)), SiteRetries(5)],
        options={"slurm.retries": "5"}, ends_well=False,
    ),
    "osmo-input": Promise("osmo", OSMO_INPUT, arguments=["--n", "5"], inputs={"n": 5}),
    "osmo-hostile": Promise("osmo", OSMO_HOSTILE, arguments=["--word", HOSTILE], inputs={"word": HOSTILE}),
    "pw-diamond": Promise("pw", PW_DIAMOND, [Publishes("a", "N", "5")]),
    "pw-ends": Promise("pw", PW_ENDS, [Fails("work", step=1, codes=(5,))], ends_well=False),
    "pw-matrix": Promise("pw", PW_MATRIX),
    "pw-fail-fast": Promise(
        "pw", PW_FAIL_FAST, [Takes("many", 60), Takes("many", 2, index=1), Fails("many", index=1, codes=(3,))],
        arguments=["--strict=true"], inputs={"strict": True}, ends_well=False,
    ),
    "pw-early": Promise(
        "pw", PW_EARLY, [Takes("long", 60), Takes("bad", 2), Fails("bad", codes=(3,))], ends_well=False
    ),
    "pw-whole": Promise("pw", PW_WHOLE, [Takes("long", 60)], ends_well=False),
    "pw-retry": Promise(
        "pw", PW_RETRY, [Fails("again", codes=(1, 1), goes_on=False), Takes("slow", 60)], ends_well=False
    ),
    "pw-inputs": Promise(
        "pw", PW_INPUTS, arguments=["--count=4", "--word", HOSTILE], inputs={"count": 4, "word": HOSTILE}
    ),
    "torc-files": Promise("torc", TORC_FILES),
    "torc-blocked": Promise("torc", TORC_BLOCKED, [Fails("bad", codes=(2,))], ends_well=False),
    "torc-tied": Promise("torc", TORC_TIED, [Fails("one_{i}", index=1)], ends_well=False),
    "torc-retry": Promise(
        "torc", TORC_RETRY, [Fails("again", codes=(8, 8), goes_on=False), Fails("hopeless")], ends_well=False
    ),
    "torc-hooks": Promise("torc", TORC_HOOKS, [Fails("b")], ends_well=False),
    "torc-limit": Promise("torc", TORC_LIMIT, [Takes("long", 100)], ends_well=False),
}  # fmt: skip
