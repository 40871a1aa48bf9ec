# `voldiff compare`: volumes whose differences are known, run configs on the same seeds, and what it refuses.

set(compared ${CMAKE_CURRENT_BINARY_DIR}/compared)
file(MAKE_DIRECTORY ${compared})
set(volumes ${data}/volumes)
set(demo_volume ${data}/demo/generate_seed0.nii.gz)
set(pair compare --output ${compared} --force ${volume})
set(seven ${pair} ${volumes}/oblique_plus_7.nii.gz)

# Two volumes
voldiff_test(NAME compare_table ARGS ${seven} STDOUT "MAE +RMSE +PSNR +histogram\n.*A and B +7 +7 +49.12 +7\n"
             STDERR "no SSIM: an axis .* window of 11 voxels\nwrote .*oblique-oblique_plus_7.png\n$" NOT "time A|mean")
voldiff_test(NAME compare_json ARGS ${seven} --json JSON
             STDOUT "\"seed\": null.*\"data_range\": 2000.0.*\"mae\": 7.0.*\"rmse\": 7.0.*\"psnr_db\": 49.118.*\"ssim\": null.*\"histogram_distance\": 7.0.*\"seconds_a\": null.*\"summary\"")
voldiff_test(NAME compare_labels ARGS ${seven} --labels ${volumes}/oblique_labels.nii.gz
             STDOUT "median +A +B +B - A\nlabel 1 +-201.5 +-194.5 +7\nlabel 24 +396.5 +403.5 +7\n")
voldiff_test(NAME compare_labels_json ARGS ${seven} --labels ${volumes}/oblique_labels.nii.gz --json JSON
             STDOUT "\"label\": 24,[ \n]*\"median_a\": 396.5,[ \n]*\"median_b\": 403.5,[ \n]*\"difference\": 7.0")
voldiff_test(NAME compare_data_range ARGS ${seven} --data-range 70 STDOUT "A and B +7 +7 +20 ")
voldiff_test(NAME compare_mr ARGS ${seven} --modality mri_t1 --json JSON
             STDOUT "\"unit\": \"\".*\"data_range\": 1197.0")
voldiff_test(NAME compare_equal ARGS compare ${demo_volume} ${demo_volume} --output ${compared}/equal --force
             STDOUT "A and B +0 +0 +inf +1 +0\n")
voldiff_test(NAME compare_equal_json ARGS compare ${demo_volume} ${demo_volume} --output ${compared}/equal_json --force --json JSON
             STDOUT "\"mae\": 0.0.*\"psnr_db\": null.*\"ssim\": (1.0|0.9999999999).*\"histogram_distance\": 0.0")

# Two runs on the same seeds, of one step each
set(short compare ${demo} --set sampling.steps=1 --force)
voldiff_test(NAME compare_ablate ARGS ${short} --ablate diffusion_unet_def.include_fc --seeds 5,0 --output ${compared}/ablate
             STDOUT "B +.*demo.yaml with network.diffusion_unet_def.include_fc=false\ndiffers +network.diffusion_unet_def.include_fc: true in A, false in B\n.*time A +time B +memory A +memory B\n.*seed 5 .*seed 0 .*mean .*minimum .*maximum "
             STDERR "wrote .*/ablate/a/demo_seed5.nii.gz.*wrote .*/ablate/b/demo_seed0.nii.gz.*wrote .*/ablate/seed0.png\n$")
voldiff_test(NAME compare_with_itself ARGS ${short} ${demo} --seeds 3..4 --output ${compared}/itself --json JSON
             STDOUT "\"differences\": ..,.*\"seed\": 3,.*\"mae\": 0.0.*\"seed\": 4,.*\"peak_memory_bytes_b\": [1-9].*\"summary\": .*\"maximum\": 0.0")
voldiff_test(NAME compare_set_b ARGS ${short} --set-b sampling.steps=2 --output ${compared}/set_b
             STDOUT "differs +sampling.steps: 1 in A, 2 in B\n.*seed 0 ")
voldiff_test(NAME compare_made_volumes ARGS compare ${compared}/ablate/a/demo_seed0.nii.gz ${compared}/ablate/b/demo_seed0.nii.gz
             --output ${compared}/made --force STDOUT "time A +time B" STDERR "demo_seed0-demo_seed0.png")
set_tests_properties(cli.compare_ablate PROPERTIES FIXTURES_SETUP compare_ablate)
set_tests_properties(cli.compare_made_volumes PROPERTIES FIXTURES_REQUIRED compare_ablate)

# Volumes that cannot be compared
voldiff_test(NAME compare_other_size ARGS ${pair} ${demo_volume} EXIT 4
             STDERR "^error: '.*generate_seed0.nii.gz' has 64 x 64 x 64 voxels, expected 12 x 10 x 8 as '.*oblique.nii.gz' has\n$")
voldiff_test(NAME compare_other_place ARGS ${pair} ${volumes}/oblique_5mm_away.nii.gz EXIT 4
             STDERR "oblique_5mm_away.nii.gz' are up to 5 mm away from those of '.*oblique.nii.gz'")
voldiff_test(NAME compare_nan ARGS ${pair} ${volumes}/oblique_nan.nii.gz EXIT 7
             STDERR "^error: cannot compare '.*oblique_nan.nii.gz': 2 of 960 voxels are NaN, infinite")
voldiff_test(NAME compare_corrupt ARGS ${pair} ${volumes}/cut_short.nii.gz EXIT 4 STDERR "^error: cannot read .*cut_short.nii.gz.*incomplete")
voldiff_test(NAME compare_missing ARGS ${pair} missing.nii.gz EXIT 4 STDERR "^error: cannot compare 'missing.nii.gz': there is no such file\n$")
voldiff_test(NAME compare_folder ARGS ${pair} ${data} EXIT 4 STDERR "it is a folder")
voldiff_test(NAME compare_text ARGS ${pair} ${volumes}/README.md EXIT 4
             STDERR "README.md': expected a volume .*\\.nii\\.gz.* or a run config .\\.yaml")
file(WRITE ${compared}/text.nii.gz "no volume\n")
voldiff_test(NAME compare_text_as_volume ARGS ${pair} ${compared}/text.nii.gz EXIT 4 STDERR "^error: cannot read '.*text.nii.gz'")
voldiff_test(NAME compare_labels_other_size ARGS ${seven} --labels ${demo_volume} EXIT 4
             STDERR "generate_seed0.nii.gz' has 64 x 64 x 64 voxels, expected 12 x 10 x 8")
voldiff_test(NAME compare_labels_no_map ARGS ${seven} --labels ${volumes}/oblique_nan.nii.gz EXIT 4
             STDERR "oblique_nan.nii.gz' is no label map: expected whole numbers")
voldiff_test(NAME compare_unknown_modality ARGS compare ${demo_volume} ${demo_volume} --modality mri_t9 EXIT 3
             --output ${compared}/mr STDERR "mri_t9.*did you mean 'mri_t")

# Arguments
voldiff_test(NAME compare_nothing ARGS compare EXIT 2 STDERR "^error: FILES is required")
voldiff_test(NAME compare_three ARGS ${seven} ${volume} EXIT 2 STDERR "At Most 2 required but received 3")
voldiff_test(NAME compare_one_volume ARGS compare ${volume} EXIT 2 STDERR "expected two volumes")
voldiff_test(NAME compare_one_config ARGS compare ${demo} EXIT 2 STDERR "expected a second one, or --ablate or --set-b")
voldiff_test(NAME compare_one_of_each ARGS compare ${demo} ${volume} EXIT 2 STDERR "found one of each")
voldiff_test(NAME compare_seeds_of_volumes ARGS ${seven} --seeds 0..7 EXIT 2 STDERR "these are for run configs")
voldiff_test(NAME compare_modality_of_runs ARGS compare ${demo} ${demo} --modality ct EXIT 2 STDERR "see --set image.modality")
foreach(range 0 -1 nan inf 1e300 wide)
  voldiff_test(NAME compare_data_range_${range} ARGS ${seven} --data-range ${range} EXIT 2
               STDERR "^error: --data-range: expected a number above 0 and up to 1e9, found '${range}'\n")
endforeach()
set(changed compare ${demo} --set-b sampling.steps=2 --output ${compared}/none)
voldiff_test(NAME compare_seeds_backwards ARGS ${changed} --seeds 7..0 EXIT 2 STDERR "^error: --seeds is '7..0', which ends before it begins; expected seeds as in 0..7 or 0,3,5\n$")
voldiff_test(NAME compare_seeds_word ARGS ${changed} --seeds a EXIT 2 STDERR "--seeds is 'a', where 'a' is no integer from 0")
voldiff_test(NAME compare_seeds_endless ARGS ${changed} --seeds 0..1000000000 EXIT 2 STDERR "more than 10000 seeds")
voldiff_test(NAME compare_seeds_twice ARGS ${changed} --seeds 1,0..2 EXIT 2 STDERR "names seed 1 twice")
voldiff_test(NAME compare_ablate_mistyped ARGS compare ${demo} --ablate difusion_unet_def.include_fc EXIT 2
             STDERR "^error: --ablate is 'difusion_unet_def.include_fc', .* did you mean 'diffusion_unet_def.include_fc'.\n$")
voldiff_test(NAME compare_ablate_short ARGS compare ${demo} --ablate include_fc EXIT 2
             STDERR "did you mean 'autoencoder_def.include_fc' or 'diffusion_unet_def.include_fc'")
voldiff_test(NAME compare_ablate_unknown ARGS compare ${demo} --ablate banana EXIT 2
             STDERR "expected one of .*autoencoder_def.norm_float16, .*diffusion_unet_def.include_fc")
voldiff_test(NAME compare_ablate_number ARGS compare ${demo} --ablate diffusion_unet_def.norm_num_groups EXIT 2
             STDERR "no option of the network that is true or false")
voldiff_test(NAME compare_ablate_of_two ARGS compare ${demo} ${demo} --ablate diffusion_unet_def.include_fc EXIT 2 STDERR "leave one out")
voldiff_test(NAME compare_set_b_without_value ARGS compare ${demo} --set-b sampling.steps EXIT 2 STDERR "^error: --set-b is .*expected key.path=value")

# Runs that cannot be compared; nothing is made before that is known
voldiff_test(NAME compare_other_image ARGS ${changed} --set-b "image.size=[32, 32, 32]" --set-b image.modality=mri_t1 EXIT 3
             STDERR "whose voxels are not the same:\nimage.size is .64,64,64. in the first and .32,32,32. in the second\nimage.modality is \"ct\" in the first and \"mri_t1\" in the second\n$")
voldiff_test(NAME compare_labels_of_runs ARGS ${changed} --labels ${volumes}/oblique_labels.nii.gz EXIT 4
             STDERR "^error: .*oblique_labels.nii.gz' has 12 x 10 x 8 voxels, expected 64 x 64 x 64")
voldiff_test(NAME compare_bad_weights_of_b ARGS ${changed} --set-b weights.diffusion_unet=${PROJECT_SOURCE_DIR}/configs/demo_model/autoencoder.safetensors
             EXIT 5 STDERR "the weights do not fit the network" NOT "denoise")
file(MAKE_DIRECTORY ${compared}/there)
file(WRITE ${compared}/there/seed0.png "")
file(WRITE ${compared}/there/oblique-oblique_plus_7.png "")
voldiff_test(NAME compare_exists ARGS compare ${volume} ${volumes}/oblique_plus_7.nii.gz --output ${compared}/there EXIT 4
             STDERR "oblique-oblique_plus_7.png exists already. choose another --output, or use --force")
voldiff_test(NAME compare_runs_exist ARGS compare ${demo} --set-b sampling.steps=2 --output ${compared}/there EXIT 4
             STDERR "seed0.png exists already. choose another --output, or use --force" NOT "denoise")
voldiff_test(NAME compare_unwritable ARGS compare ${demo} --set-b sampling.steps=2 --output /proc/voldiff EXIT 4
             STDERR "cannot make the output directory /proc/voldiff" NOT "denoise")
