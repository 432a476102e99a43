"""Small workflows of our own that together show every construct of the language."""

BASIC = """\
permissions: ['*']
env:
  MODE: ${{ inputs.mode }}
'on':
  execute:
    inputs:
      site: {type: compute-clusters, label: Cluster}
      mode:
        type: dropdown
        label: Mode
        default: fast
        options:
          - {value: fast, label: Fast}
          - {value: slow, label: Slow}
      batch:
        type: group
        label: Slurm
        hidden: ${{ inputs.site.schedulerType != 'slurm' }}
        ignore: ${{ .hidden }}
        items:
          partition: {type: slurm-partitions, label: Partition, resource: '${{ inputs.site }}', optional: true}
          time: {type: string, label: Time, default: '01:00:00'}
      cases:
        type: list
        template:
          seed: {type: number, label: Seed, default: 1}
          note: {type: string, label: Note, hidden: '${{ inputs.cases.[index].seed == 1 }}', ignore: '${{ .hidden }}'}
jobs:
  prepare:
    ssh:
      remoteHost: ${{ inputs.site.ip }}
    steps:
      - uses: parallelworks/checkout
        with: {repo: https://example.org/solver.git, branch: main}
      - name: Count
        id: count
        run: echo "N=$(ls cases | wc -l)" >> $OUTPUTS
  solve:
    needs: [prepare]
    if: ${{ matrix.seed <= needs.prepare.outputs.N }}
    strategy:
      fail-fast: false
      max-parallel: 2
      matrix:
        seed: [1, 2, 3]
    working-directory: ${PW_PARENT_JOB_DIR}/out
    env: {SEED: '${{ matrix.seed }}'}
    timeout: 2h
    steps:
      - name: Run seed ${{ matrix.seed }}
        if: ${{ inputs.mode == 'fast' }}
        run: |
          ./solve --seed ${{ matrix.seed }} \\
            --cases ${{ needs.prepare.steps.count.outputs.N }}
        early-cancel: any-job-failed
        retry: {max-retries: 2, interval: 30s, timeout: 1h, clean-on-retry: true}
        cleanup: rm -rf scratch
        timeout: 90m
        ignore-errors: true
        env: {THREADS: 4}
        ssh: {remoteHost: '${{ inputs.site.ip }}', jumpNodeHost: gate, disconnect-timeout: 5m}
  report:
    needs: [solve, 'prepare:any']
    if: ${{ always }}
    outputs:
      text: ${{ needs.report.steps.write.outputs.TEXT }}
    steps:
      - id: write
        ssh: null
        run: echo TEXT=done >> $OUTPUTS
"""

EVERYTHING = """\
name: all
permissions: ['*']
needs:
  organizationVariables: [TOKEN]
  userVariables:
    KEY: {hint: your key}
app: {target: inputs.site}
sessions:
  web: {type: tunnel, redirect: true, useTLS: '${{ inputs.tls }}', prompt-for-name: {default: web}}
  other:
links:
  docs: {url: https://example.org, detach: true}
timeout: 7d
'on':
  execute:
    inputs:
      $meta:
        labelPosition: left
        wizard:
          mode: wizard
          navigation: {showSteps: true}
      head: {type: header, text: Hello, size: 20}
      site: {type: compute-clusters, label: Cluster}
      tls: {type: boolean, default: false}
      first:
        type: step
        title: First
        options:
          size: {type: integer, default: 3, min: 1, max: 9}
          limit: {type: duration, default: '01:00:00', min: '00:10:00', max: 1-00:00:00}
      kind:
        type: dropdown
        option-key: ${{ inputs.site.schedulerType }}
        options:
          slurm: [a, b]
          pbs: [c]
      picked:
        type: multi-dropdown
        options:
          - {category: some, options: [{value: 1, label: One}, 2]}
      pvc: {type: kubernetes-pvc, clusterName: '${{ inputs.site.name }}', namespace: default}
      words:
        type: list
        template: {type: string, label: Word}
configurations:
  Small one:
    inputs: {size: 1}
jobs:
  modern:
    runs-on:
      environment: {cluster: me/big, name: gpu}
      params: {walltime: '01:00:00'}
    steps:
      - run: make
  matrix:
    ssh: {remoteHost: '${{ inputs.site.ip }}'}
    strategy:
      matrix:
        host: [{name: a, port: 1}, {name: b, port: 2}]
        include: [{host: {name: c, port: 3}}]
        exclude: [{host: {name: b, port: 2}}]
    cleanup:
      - run: rm -f x
    steps:
      - run: echo ${{ matrix.host.name }}
        shell: bash -l
  submit:
    steps:
      - uses: marketplace/job_runner/v4.0
        with:
          resource: ${{ inputs.site }}
          script: |
            hostname
          scheduler: true
          slurm: {partition: gpu, gres: 'gpu:2'}
      - uses: parallelworks/update-session
        with:
          name: ${{ sessions.web }}
          targetInfo: {name: x}
"""
