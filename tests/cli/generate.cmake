# `voldiff generate`: what it makes equals the reference, what it refuses it refuses before it makes anything.

set(demo ${PROJECT_SOURCE_DIR}/configs/demo.yaml)
set(made ${CMAKE_CURRENT_BINARY_DIR}/made)
file(MAKE_DIRECTORY ${made})
# A run of one step, for what does not depend on the image.
set(quick generate ${demo} --steps 1 --force)

# volume_matches(name volume reference): after cli.<name>, at most 1 HU apart (a rounding on either side of a truncation)
function(volume_matches name volume reference)
  add_test(NAME cli.${name}_matches COMMAND volume_check ${volume} ${reference} 1)
  set_tests_properties(cli.${name} PROPERTIES FIXTURES_SETUP ${name})
  set_tests_properties(cli.${name}_matches PROPERTIES FIXTURES_REQUIRED ${name})
endfunction()

# The demo, and the record beside it
voldiff_test(NAME demo ARGS generate ${demo} --force -o ${made}/demo.nii.gz STDOUT "^${made}/demo.nii.gz\n$"
             STDERR "denoise 30/30.*wrote ")
volume_matches(demo ${made}/demo.nii.gz ${data}/demo/generate_seed0.nii.gz)
voldiff_test(NAME demo_again ARGS generate ${made}/demo.json --force -o ${made}/again.nii.gz --quiet STDERR "^$")
volume_matches(demo_again ${made}/again.nii.gz ${made}/demo.nii.gz)
set_tests_properties(cli.demo_again PROPERTIES FIXTURES_REQUIRED demo)
set_tests_properties(cli.demo_again_matches PROPERTIES FIXTURES_REQUIRED "demo;demo_again")

# MAISI's own files
foreach(case ddpm_ct_image rflow_mr_image_cfg)
  set(folder ${data}/reference/pipelines/${case})
  voldiff_test(NAME ${case} ARGS generate -t config_network.json -e environment.json -c config_infer.json
               -o ${made}/${case}.nii.gz --force)
  set_tests_properties(cli.${case} PROPERTIES WORKING_DIRECTORY ${folder})
  volume_matches(${case} ${made}/${case}.nii.gz ${folder}/expected_image.nii.gz)
endforeach()

# Formats, several volumes, results for programs
foreach(format nii nrrd mha)
  voldiff_test(NAME format_${format} ARGS ${quick} -o ${made}/format.${format} STDOUT "format.${format}\n")
endforeach()
voldiff_test(NAME several ARGS ${quick} --count 2 --seed 5 --set output.directory=${made} --json
             STDOUT "demo_seed5_000.nii.gz.*demo_seed6_001.nii.gz")
voldiff_test(NAME float32 ARGS ${quick} --set output.dtype=float32 -o ${made}/float.nii.gz)
voldiff_test(NAME sliding_window ARGS ${quick} --decode sliding_window --set "decode.roi=[8, 8, 8]" -o ${made}/sw.nii.gz
             STDERR "decode [0-9]+/27")
voldiff_test(NAME decode_mode ARGS generate ${demo} -o ${made}/multipass.nii.gz --force --set decode.mode=multipass
             STDERR "decode: multipass .0.0[0-9] GB predicted.*decode 100/100")
volume_matches(decode_mode ${made}/multipass.nii.gz ${data}/demo/generate_seed0.nii.gz)
voldiff_test(NAME decode_mode_unknown ARGS ${quick} --set decode.mode=small EXIT 3 STDERR "'decode.mode' is 'small'.*multipass")
voldiff_test(NAME bfloat16 ARGS ${quick} --precision bfloat16 -o ${made}/bf16.nii.gz)
voldiff_test(NAME autocast ARGS ${quick} --set runtime.autocast=bfloat16 --set runtime.channels_last=true -o ${made}/autocast.nii.gz)
voldiff_test(NAME autocast_float16 ARGS ${quick} --set runtime.autocast=float16 --device cpu -o ${made}/none.nii.gz
    EXIT 2 STDERR "'runtime.autocast' is float16, which needs a GPU")

# Before the work
voldiff_test(NAME dry_run_decode ARGS generate ${demo} --dry-run --set output.directory=${made}/dry
             STDOUT "\"decode_mode\": \"store\".*predicted_decode_memory_bytes")
voldiff_test(NAME dry_run ARGS generate ${demo} --dry-run --set output.directory=${made}/dry JSON STDOUT "demo_seed0_000.nii.gz")
voldiff_test(NAME print_config ARGS generate ${demo} --steps 12 --print-config STDOUT "steps: 12 +# --steps.*")
voldiff_test(NAME print_config_origin ARGS generate ${demo} --print-config STDOUT "seed: 0 +# .*demo.yaml:[0-9]+:[0-9]+")
voldiff_test(NAME help_of_generate ARGS generate --help STDOUT "--steps.*default 30.*--dry-run.*Examples:.*configs/demo.yaml")

# What is wrong, and where
voldiff_test(NAME no_config ARGS generate EXIT 2 STDERR "^error: generate: no config file is given")
voldiff_test(NAME config_missing ARGS generate missing.yaml EXIT 4 STDERR "^error: .*missing.yaml")
voldiff_test(NAME half_of_maisi ARGS generate -t x.json EXIT 2 STDERR "expected all of -t, -e and -c")
voldiff_test(NAME set_without_value ARGS generate ${demo} --set sampling.steps EXIT 2 STDERR "expected key.path=value")
voldiff_test(NAME set_unknown ARGS generate ${demo} --set sampling.step=3 EXIT 3
             STDERR "^error: --set: unknown key 'sampling.step'. did you mean 'sampling.steps'.\n$")
voldiff_test(NAME steps_out_of_range ARGS generate ${demo} --steps 0 EXIT 3 STDERR "--steps: 'sampling.steps' is 0, expected an integer from 1")
voldiff_test(NAME steps_no_number ARGS generate ${demo} --steps 12abc EXIT 3 STDERR "'sampling.steps' is '?12abc'?, expected an integer")
voldiff_test(NAME size_not_divisible ARGS generate ${demo} --size 64 60 64 EXIT 3
             STDERR "'image.size' is .64, 60, 64., expected multiples of 32")
voldiff_test(NAME unknown_modality ARGS generate ${demo} --modality mri_t3 EXIT 3 STDERR "mri_t3.*did you mean 'mri_t")
voldiff_test(NAME modality_too_large ARGS generate ${demo} --modality 128 EXIT 3 STDERR "class labels 0 to 127")
voldiff_test(NAME unknown_format ARGS generate ${demo} -o ${made}/x.dcm EXIT 3 STDERR "\\.dcm.*\\.nii\\.gz")
voldiff_test(NAME leaves_directory ARGS generate ${demo} --set output.name=../x EXIT 3 STDERR "leaves the output directory")
voldiff_test(NAME exists_already ARGS generate ${demo} -o ${data}/demo/generate_seed0.nii.gz EXIT 4 STDERR "exists already.*--force")
voldiff_test(NAME unwritable_directory ARGS generate ${demo} --set output.directory=/proc/voldiff EXIT 4
             STDERR "^loading.*error: cannot make the output directory /proc/voldiff: ")
voldiff_test(NAME no_cuda ARGS generate ${demo} --device cuda --set output.directory=${made}/none EXIT 2 STDERR "no CUDA; use cpu")
voldiff_test(NAME weights_missing ARGS generate ${demo} --set weights.autoencoder=gone.pt EXIT 4 STDERR "gone.pt")
voldiff_test(NAME weights_of_another_network ARGS generate ${demo} --set output.directory=${made}/none
             --set weights.diffusion_unet=${PROJECT_SOURCE_DIR}/configs/demo_model/autoencoder.safetensors
             EXIT 5 STDERR "autoencoder.safetensors: the weights do not fit the network; [0-9]+ missing .*; [0-9]+ unexpected")
voldiff_test(NAME weights_no_checkpoint ARGS generate ${demo} --set output.directory=${made}/none
             --set weights.autoencoder=${data}/checkpoints/not_a_checkpoint.pt EXIT 5 STDERR "not_a_checkpoint.pt")
voldiff_test(NAME memory_limit ARGS generate ${demo} --set runtime.memory_limit=1000000 --set output.directory=${made}/none
             EXIT 6 STDERR "decoding needs about .* GB, expected at most")
voldiff_test(NAME not_finite ARGS generate ${demo} --guidance-scale 1e38 --set output.directory=${made}/none EXIT 7
             STDERR "denoising, step [0-9]+ of 30: [0-9]+ of 16384 values are NaN or infinite")
voldiff_test(NAME projection_switched_off ARGS ${quick} --set network.diffusion_unet_def.include_fc=false -o ${made}/nofc.nii.gz
             STDERR "warning: weights.diffusion_unet: 14 tensors .*: projections are not used, since the network has include_fc: false"
             NOT "error")
voldiff_test(NAME attention_pattern_unknown ARGS ${quick} --set "network.diffusion_unet_def.attention={down_blocks.9.*: {include_fc: false}}"
             -o ${made}/none.nii.gz EXIT 3 STDERR "'down_blocks.9..', which names no attention block.*middle_block.attention")
voldiff_test(NAME attention_pattern ARGS ${quick} --set "network.diffusion_unet_def.attention={up_blocks.*: {use_combined_linear: true}}"
             -o ${made}/pattern.nii.gz STDERR "note: weights.diffusion_unet: 8 tensors .up_blocks.0.attentions.0.attn.qkv.weight.*joined into qkv .exact.")
voldiff_test(NAME layout_unknown ARGS ${quick} --set weights.layout=monai -o ${made}/none.nii.gz EXIT 3 STDERR "monai-1.5")

# SIGINT: exit 130, no file that is not whole
add_test(NAME cli.interrupt COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/interrupt.sh $<TARGET_FILE:voldiff> ${demo} ${made}/interrupt)

# inspect of configs
voldiff_test(NAME inspect_run_config ARGS inspect ${demo} STDOUT "740,593 parameters.*demo_model/autoencoder.safetensors.*5,867,044 parameters")
voldiff_test(NAME inspect_run_config_json ARGS inspect --json ${demo} JSON STDOUT "\"name\": \"conv_in.conv.weight\"")
voldiff_test(NAME inspect_network_file ARGS inspect --all ${PROJECT_SOURCE_DIR}/configs/networks/demo.yaml
             STDOUT "decoder.blocks.0.conv.conv.weight  .64, 4, 3, 3, 3.")

# From a mask
set(masked generate ${PROJECT_SOURCE_DIR}/configs/demo-from-mask.yaml --force)
set(segmentation ${data}/real/ct_3mm_small_totalsegmentator.nii.gz)
voldiff_test(NAME from_mask ARGS ${masked} --set output.dtype=int16 -o ${made}/from_mask.nii.gz STDERR "reading the mask.*wrote ")
volume_matches(from_mask ${made}/from_mask.nii.gz ${data}/demo/from_mask_seed0.nii.gz)
voldiff_test(NAME guided_mr ARGS generate ${demo} --force --modality 9 --guidance-scale 2 -o ${made}/guided_mr.nii.gz)
volume_matches(guided_mr ${made}/guided_mr.nii.gz ${data}/demo/guided_mr_seed0.nii.gz)
voldiff_test(NAME from_mask_segmentation ARGS ${masked} --steps 1 --mask ${segmentation} --size 64 64 32 --spacing 6 6 3
             --set mask.labels=${data}/real/totalsegmentator_to_maisi.yaml --set mask.body_from=${data}/real/ct_3mm_small.nii.gz
             -o ${made}/segmentation.nii.gz STDERR "warning: mask: right lung middle lobe .31. is lost in resampling")
voldiff_test(NAME from_mask_unmapped ARGS ${masked} --mask ${segmentation} --set mask.labels=${data}/real/incomplete_map.yaml
             -o ${made}/none.nii.gz EXIT 3 STDERR "the mask has [0-9]+ values that the map does not name")
voldiff_test(NAME from_mask_no_labels ARGS ${masked} --mask ${data}/real/ct_3mm_small.nii.gz -o ${made}/none.nii.gz EXIT 3
             STDERR "ct_3mm_small.nii.gz: .*voxels")
voldiff_test(NAME from_mask_other_grid ARGS ${masked} --mask ${segmentation} --set mask.body_from=${volume} -o ${made}/none.nii.gz
             EXIT 3 STDERR "its voxels are not those of the mask")
voldiff_test(NAME from_mask_missing ARGS ${masked} --mask nowhere.nii.gz -o ${made}/none.nii.gz EXIT 4 STDERR "--mask: 'mask.file': there is no file '.*nowhere.nii.gz'")
voldiff_test(NAME from_mask_size ARGS ${masked} --size 60 64 64 -o ${made}/none.nii.gz EXIT 3 STDERR "'image.size' is .60, 64, 64., expected multiples of 32")
voldiff_test(NAME from_mask_modality ARGS ${masked} --modality 200 -o ${made}/none.nii.gz EXIT 3 STDERR "modality")
voldiff_test(NAME from_mask_no_weights ARGS ${masked} --set weights.controlnet= -o ${made}/none.nii.gz EXIT 3 STDERR "'weights.controlnet' is empty")
voldiff_test(NAME from_mask_other_weights ARGS ${masked} --set weights.controlnet=${PROJECT_SOURCE_DIR}/configs/demo_model/autoencoder.safetensors
             -o ${made}/none.nii.gz EXIT 5 STDERR "autoencoder.safetensors: the weights do not fit the network")
foreach(case_and_seed "ddpm_ct_from_mask;5" "rflow_ct_from_mask_cfg_tumor;21")
  list(GET case_and_seed 0 case)
  list(GET case_and_seed 1 seed)
  set(folder ${data}/reference/pipelines/${case})
  voldiff_test(NAME ${case} ARGS generate -t config_network.json -e environment.json --mask-inference config_infer.json --mask input_mask.nii.gz
               --seed ${seed} -o ${made}/${case}.nii.gz --force)
  set_tests_properties(cli.${case} PROPERTIES WORKING_DIRECTORY ${folder})
  volume_matches(${case} ${made}/${case}.nii.gz ${folder}/expected_image.nii.gz)
endforeach()
