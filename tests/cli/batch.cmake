# `voldiff batch` on the command line; what goes wrong within a batch is in tests/batch.

set(batch_folder ${CMAKE_CURRENT_BINARY_DIR}/batch)
file(WRITE ${batch_folder}/jobs.yaml "runs:\n- {config: demo.yaml, seeds: 0..2, set: {output.directory: night}}\n")
file(WRITE ${batch_folder}/wrong.yaml "runs:\n- {confg: demo.yaml}\n")
file(WRITE ${batch_folder}/rows.csv "config,seed,sampling.steps\ndemo.yaml,1,2\ndemo.yaml,2,3\n")
set(jobs batch ${batch_folder}/jobs.yaml --output ${batch_folder})
voldiff_test(NAME batch_help ARGS batch --help STDOUT "FILE.*--dry-run.*--shard.*Examples:.*voldiff batch jobs.yaml" NOT "--worker[^s]")
voldiff_test(NAME batch_missing ARGS batch ${batch_folder}/none.yaml EXIT 4 STDERR "^error: .*none.yaml")
voldiff_test(NAME batch_wrong ARGS batch ${batch_folder}/wrong.yaml EXIT 3 STDERR "wrong.yaml:2:4: unknown key 'confg' of a run. did you mean 'config'")
voldiff_test(NAME batch_dry_run ARGS ${jobs} --dry-run STDOUT "demo_seed2.nii.gz +64x64x64 +30 .*3 of 3 to make, about")
voldiff_test(NAME batch_dry_run_json ARGS ${jobs} --dry-run --json JSON STDOUT "\"to_make\": 3")
voldiff_test(NAME batch_csv ARGS batch ${batch_folder}/rows.csv --dry-run STDOUT "demo_3_seed2.nii.gz")
voldiff_test(NAME batch_status ARGS ${jobs} --status STDOUT "runs +3\nmade +0\n")
voldiff_test(NAME batch_shard ARGS ${jobs} --shard 3/3 EXIT 2 STDERR "expected one of n parts, from 0")
voldiff_test(NAME batch_slurm_script ARGS ${jobs} --slurm --slurm-tasks 2 --dry-run STDOUT "^#!/bin/bash\n#SBATCH --job-name=voldiff-jobs\n#SBATCH --array=0-1\n")
voldiff_test(NAME batch_part_of_an_array ARGS ${jobs} --dry-run STDOUT "1 of 1 to make" STDERR "part 2 of 3: 1 of 3 runs"
             ENV SLURM_ARRAY_TASK_ID=2 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX=2)
