# `voldiff encode`, `voldiff decode`, and `generate` from a volume. Needs `made`, `quick` and cli.demo of generate.cmake.

set(encode encode --config ${demo} --force)
set(decode decode --force)
set(small_ct ${data}/real/ct_3mm_small.nii.gz)  # 122 x 101 x 30 voxels

# after(name fixture...): cli.<name> runs after these
function(after name)
  set_tests_properties(cli.${name} PROPERTIES FIXTURES_REQUIRED "${ARGN}")
endfunction()
# A file as it is, under another name, after `fixture`
function(copied name from to fixture)
  add_test(NAME cli.${name} COMMAND ${CMAKE_COMMAND} -E copy ${from} ${to})
  set_tests_properties(cli.${name} PROPERTIES FIXTURES_SETUP ${name} FIXTURES_REQUIRED ${fixture})
endfunction()

# There and back: MONAI's numbers, the volume's own voxels
voldiff_test(NAME encode_oblique ARGS ${encode} ${volume} --pad -o ${made}/oblique_emb.nii.gz STDOUT "^${made}/oblique_emb.nii.gz\n$"
             STDERR "encode 8/8.*wrote ")
set_tests_properties(cli.encode_oblique PROPERTIES FIXTURES_SETUP encode_oblique)
voldiff_test(NAME decode_oblique ARGS ${decode} ${made}/oblique_emb.nii.gz -o ${made}/oblique_back.nii.gz STDERR "decode 100/100.*wrote " NOT "warning")
volume_matches(decode_oblique ${made}/oblique_back.nii.gz ${data}/demo/oblique_round_trip.nii.gz)
after(decode_oblique encode_oblique)
set_tests_properties(cli.decode_oblique_matches PROPERTIES FIXTURES_REQUIRED "encode_oblique;decode_oblique")

# A real CT through the other format; compare refuses volumes that are not on the same voxels
voldiff_test(NAME encode_ct ARGS ${encode} ${small_ct} --pad -o ${made}/ct.safetensors --json JSON
             STDOUT "\"size\": .\n *4,\n *31,\n *26,\n *8\n.*\"value\": \"mean\".*\"padded_size\": .\n *124,\n *104,\n *32\n")
set_tests_properties(cli.encode_ct PROPERTIES FIXTURES_SETUP encode_ct)
voldiff_test(NAME decode_ct ARGS ${decode} ${made}/ct.safetensors --config ${demo} -o ${made}/ct_back.nii.gz STDOUT "ct_back.nii.gz\n$")
set_tests_properties(cli.decode_ct PROPERTIES FIXTURES_SETUP decode_ct FIXTURES_REQUIRED encode_ct)
voldiff_test(NAME decode_ct_geometry ARGS compare ${small_ct} ${made}/ct_back.nii.gz --output ${made}/ct_compared --force STDOUT "PSNR")
after(decode_ct_geometry "encode_ct;decode_ct")

# Ways to encode
voldiff_test(NAME encode_windows ARGS ${encode} ${small_ct} --pad --encode sliding_window --set "encode.roi=[16, 16, 8]"
             -o ${made}/windows.nii.gz STDERR "encode 9/9")
voldiff_test(NAME encode_sample ARGS ${encode} ${volume} --pad --sample --seed 3 -o ${made}/sample.nii.gz --json STDOUT "\"value\": \"sample\",\n *\"seed\": 3")
voldiff_test(NAME encode_mr ARGS ${encode} ${volume} --pad --modality mri_t1 -o ${made}/mr.nii.gz --json STDOUT "\"is_most\": false")
set_tests_properties(cli.encode_mr PROPERTIES FIXTURES_SETUP encode_mr)
voldiff_test(NAME decode_mr ARGS ${decode} ${made}/mr.nii.gz -o ${made}/mr_back.nii.gz --json STDOUT "\"dtype\": \"float32\"")
after(decode_mr encode_mr)
voldiff_test(NAME help_of_encode ARGS encode --help STDOUT "CT in HU.*--pad.*--sample.*mean")

# A latent without a record is taken as MAISI's
copied(latent_alone ${made}/oblique_emb.nii.gz ${made}/alone_emb.nii.gz encode_oblique)
voldiff_test(NAME decode_alone ARGS ${decode} ${made}/alone_emb.nii.gz -o ${made}/alone_back.nii.gz --config ${demo}
             STDERR "note: no record beside the latent: taken as MAISI's, ct, in RAS")
after(decode_alone "encode_oblique;latent_alone")
voldiff_test(NAME decode_no_config ARGS ${decode} ${made}/alone_emb.nii.gz -o ${made}/none.nii.gz EXIT 2
             STDERR "there is no record '.*alone_emb.json' beside the latent.*--config")
after(decode_no_config "encode_oblique;latent_alone")

# What is wrong, and where
voldiff_test(NAME encode_not_divisible ARGS ${encode} ${small_ct} -o ${made}/none.nii.gz EXIT 3
             STDERR "ct_3mm_small.nii.gz: the volume has 122 x 101 x 30 voxels, expected multiples of 4\nx .left-right. has 122: crop to 120 or pad to 124; y .*101.*; z .*28 or pad to 32\n.*--pad")
voldiff_test(NAME encode_missing ARGS ${encode} nowhere.nii.gz -o ${made}/none.nii.gz EXIT 4 STDERR "'nowhere.nii.gz': there is no such file")
voldiff_test(NAME encode_no_volume ARGS ${encode} -o ${made}/none.nii.gz EXIT 2 STDERR "VOLUME is required")
voldiff_test(NAME encode_no_config ARGS encode ${volume} -o ${made}/none.nii.gz EXIT 2 STDERR "--config is required")
voldiff_test(NAME encode_nan ARGS ${encode} ${data}/volumes/oblique_nan.nii.gz --pad -o ${made}/none.nii.gz EXIT 7 STDERR "the volume to encode: [0-9]+ of 960 values are NaN")
voldiff_test(NAME encode_format ARGS ${encode} ${volume} --pad -o ${made}/none.nrrd EXIT 3 STDERR "not named as a latent: expected .nii.gz, .nii or .safetensors, found '.nrrd'")
voldiff_test(NAME encode_onto_itself ARGS ${encode} ${volume} --pad -o ${volume} EXIT 2 STDERR "is the volume to encode itself")
voldiff_test(NAME encode_exists ARGS encode --config ${demo} ${small_ct} --pad -o ${volume} EXIT 4 STDERR "exists already")
voldiff_test(NAME encode_memory ARGS ${encode} ${volume} --pad --set runtime.memory_limit=1000 -o ${made}/none.nii.gz EXIT 6
             STDERR "encoding needs about .* GB, expected at most .*encode.roi")
voldiff_test(NAME decode_missing ARGS ${decode} nowhere.nii.gz -o ${made}/none.nii.gz EXIT 4 STDERR "'nowhere.nii.gz': there is no such file")
voldiff_test(NAME decode_an_image ARGS ${decode} ${volume} --config ${demo} -o ${made}/none.nii.gz EXIT 4 STDERR "oblique.nii.gz': expected channels of floating-point numbers, found int16")
voldiff_test(NAME decode_a_checkpoint ARGS ${decode} ${PROJECT_SOURCE_DIR}/configs/demo_model/autoencoder.safetensors --config ${demo}
             -o ${made}/none.nii.gz EXIT 4 STDERR "autoencoder.safetensors' holds no latent of voldiff")
voldiff_test(NAME decode_other_channels ARGS ${decode} ${made}/oblique_emb.nii.gz --config ${demo} --set network.autoencoder_def.latent_channels=3
             -o ${made}/none.nii.gz EXIT 3 STDERR "oblique_emb.nii.gz: it has 4 channels, expected 3 .*another model")
after(decode_other_channels encode_oblique)
voldiff_test(NAME decode_other_factor ARGS ${decode} ${made}/oblique_emb.nii.gz --config ${demo} --set "network.autoencoder_def.num_channels=[16, 32]"
             --set "network.autoencoder_def.num_res_blocks=[1, 1]" --set "network.autoencoder_def.attention_levels=[false, false]"
             -o ${made}/none.nii.gz EXIT 3 STDERR "12 x 12 x 8 voxels were encoded, but the autoencoder makes 6 x 6 x 4 of it")
after(decode_other_factor encode_oblique)
file(WRITE ${made}/scaled_emb.json "{\"latent\": {\"file\": \"scaled_emb.nii.gz\", \"volume_size\": [12, 12, 8], \"padded_size\": [12, 12, 8],
  \"volume_affine_ras\": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], \"modality\": \"ct\", \"autoencoder_sha256\": \"0123456789abcdef\",
  \"intensity_range\": {\"lower\": -1000, \"upper\": 1000, \"is_most\": true}, \"scale_factor\": 0}}\n")
copied(latent_scaled ${made}/oblique_emb.nii.gz ${made}/scaled_emb.nii.gz encode_oblique)
voldiff_test(NAME decode_scale_factor ARGS ${decode} ${made}/scaled_emb.nii.gz --config ${demo} -o ${made}/none.nii.gz EXIT 3
             STDERR "scaled_emb.json: the record of the latent is not whole: 'scale_factor' is not above 0")
after(decode_scale_factor "encode_oblique;latent_scaled")
file(READ ${made}/scaled_emb.json foreign)
string(REPLACE "\"scale_factor\": 0" "\"scale_factor\": 1" foreign "${foreign}")
string(REPLACE "scaled_emb" "foreign_emb" foreign "${foreign}")
file(WRITE ${made}/foreign_emb.json "${foreign}")
copied(latent_foreign ${made}/oblique_emb.nii.gz ${made}/foreign_emb.nii.gz encode_oblique)
voldiff_test(NAME decode_other_weights ARGS ${decode} ${made}/foreign_emb.nii.gz --config ${demo} -o ${made}/foreign.nii.gz
             STDERR "warning: the latent was encoded by other weights .SHA-256 0123456789ab")
after(decode_other_weights "encode_oblique;latent_foreign")
voldiff_test(NAME decode_onto_itself ARGS ${decode} ${made}/oblique_emb.nii.gz -o ${made}/oblique_emb.nii EXIT 2 STDERR "named as the latent or its record")
after(decode_onto_itself encode_oblique)

# From a volume: strength 0 is the way there and back, 1 is the run from noise
voldiff_test(NAME from_volume_0 ARGS generate ${demo} --from ${made}/demo.nii.gz --strength 0 --force -o ${made}/from_0.nii.gz)
voldiff_test(NAME encode_demo ARGS ${encode} ${made}/demo.nii.gz -o ${made}/demo_emb.nii.gz)
voldiff_test(NAME encode_onto_record ARGS ${encode} ${made}/demo.nii.gz -o ${made}/demo.safetensors EXIT 2 STDERR "would take the place of the volume's, '.*demo.json'")
after(encode_onto_record demo)
voldiff_test(NAME decode_demo ARGS ${decode} ${made}/demo_emb.nii.gz -o ${made}/demo_back.nii.gz)
set_tests_properties(cli.encode_demo PROPERTIES FIXTURES_SETUP encode_demo FIXTURES_REQUIRED demo)
volume_matches(decode_demo ${made}/demo_back.nii.gz ${made}/from_0.nii.gz)
set_tests_properties(cli.from_volume_0 PROPERTIES FIXTURES_SETUP from_volume_0 FIXTURES_REQUIRED demo)
after(decode_demo "demo;encode_demo")
set_tests_properties(cli.decode_demo_matches PROPERTIES FIXTURES_REQUIRED "demo;encode_demo;decode_demo;from_volume_0")
voldiff_test(NAME from_volume_1 ARGS generate ${demo} --from ${made}/demo.nii.gz --strength 1 --force -o ${made}/from_1.nii.gz)
volume_matches(from_volume_1 ${made}/from_1.nii.gz ${data}/demo/generate_seed0.nii.gz)
after(from_volume_1 demo)
set_tests_properties(cli.from_volume_1_matches PROPERTIES FIXTURES_REQUIRED "demo;from_volume_1")
voldiff_test(NAME from_volume ARGS generate ${demo} --force --steps 4 --from ${small_ct} --strength 0.5 --set encode.pad=true -o ${made}/from_ct.nii.gz
             STDERR "'image.size' is .64, 64, 64., but the volume to start from has .122, 101, 30., which counts.*denoise 2/2")
set_tests_properties(cli.from_volume PROPERTIES FIXTURES_SETUP from_volume)
voldiff_test(NAME from_volume_geometry ARGS compare ${small_ct} ${made}/from_ct.nii.gz --output ${made}/from_ct_compared --force STDOUT "PSNR")
after(from_volume_geometry from_volume)
voldiff_test(NAME from_volume_again ARGS generate ${made}/from_ct.json --force -o ${made}/from_ct_again.nii.gz --quiet STDERR "^$")
volume_matches(from_volume_again ${made}/from_ct_again.nii.gz ${made}/from_ct.nii.gz)
after(from_volume_again from_volume)
set_tests_properties(cli.from_volume_again_matches PROPERTIES FIXTURES_REQUIRED "from_volume;from_volume_again")
foreach(scheduler rflow_heun rflow_ab2)
  voldiff_test(NAME from_volume_${scheduler} ARGS generate ${demo} --force --steps 4 --from ${made}/demo.nii.gz --strength 0.5 --set "sampling.scheduler={type: ${scheduler}}"
               -o ${made}/from_${scheduler}.nii.gz)
  after(from_volume_${scheduler} demo)
endforeach()
voldiff_test(NAME from_volume_mask ARGS generate ${PROJECT_SOURCE_DIR}/configs/demo-from-mask.yaml --force --steps 2 --from ${made}/demo.nii.gz
             -o ${made}/from_masked.nii.gz STDERR "reading the volume to start from\nreading the mask.*denoise 1/1")
after(from_volume_mask demo)
voldiff_test(NAME from_volume_other_mask ARGS generate ${PROJECT_SOURCE_DIR}/configs/demo-from-mask.yaml --force --steps 2 --from ${small_ct}
             --set encode.pad=true -o ${made}/none.nii.gz EXIT 3 STDERR "the voxels of the mask are up to .* mm away from those of .*ct_3mm_small")
voldiff_test(NAME from_volume_size ARGS ${quick} --from ${small_ct} --size 64 64 64 --set encode.pad=true -o ${made}/none.nii.gz EXIT 3
             STDERR "--size: 'image.size' is .64, 64, 64., but the volume to start from has .122, 101, 30.")
voldiff_test(NAME from_volume_not_divisible ARGS ${quick} --from ${small_ct} -o ${made}/none.nii.gz EXIT 3 STDERR "expected multiples of 32.*encode.pad")
voldiff_test(NAME from_volume_missing ARGS ${quick} --from nowhere.nii.gz -o ${made}/none.nii.gz EXIT 4 STDERR "'image_to_image.file': there is no file '.*nowhere.nii.gz'")
foreach(strength -0.1 1.5 .nan)
  voldiff_test(NAME from_volume_strength_${strength} ARGS ${quick} --from ${small_ct} --strength=${strength} -o ${made}/none.nii.gz EXIT 3
               STDERR "'image_to_image.strength' is .*expected")
endforeach()
voldiff_test(NAME from_volume_no_step ARGS generate ${demo} --force --steps 4 --from ${made}/demo.nii.gz --strength 0.2 -o ${made}/none.nii.gz EXIT 3 STDERR "0.2 of 4 steps is less than one step")
after(from_volume_no_step demo)
voldiff_test(NAME strength_alone ARGS ${quick} --strength 0.5 -o ${made}/none.nii.gz EXIT 3 STDERR "'image_to_image.strength' is given without 'image_to_image.file'")
voldiff_test(NAME help_lists_schedulers ARGS generate --help STDOUT "Schedulers.*rflow  +rectified flow.*unipc +UniPC.*Examples:")
