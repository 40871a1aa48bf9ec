# Checkpoints and modules: convert, export-torchscript, and TorchScript in the place of weights.
set(models ${PROJECT_SOURCE_DIR}/configs/demo_model)
set(kept ${CMAKE_CURRENT_BINARY_DIR}/checkpoints)
file(MAKE_DIRECTORY ${kept})

voldiff_test(NAME structure ARGS inspect ${demo} --structure
             STDOUT "middle_block.attention  include_fc: true  use_combined_linear: false  use_flash_attention: false")
voldiff_test(NAME inspect_layout ARGS inspect ${models}/diff_unet.safetensors
             STDOUT "layout +monai-1.5\nattention +7 blocks with to_q, to_k, to_v; 7 with a projection\n")

# convert
voldiff_test(NAME convert ARGS convert ${models}/diff_unet.safetensors ${kept}/unet.pt --force STDOUT "layout +monai-1.5 -> monai-1.5\n.*lossless +yes\n$" STDERR "^$")
voldiff_test(NAME convert_exists ARGS convert ${models}/diff_unet.safetensors ${demo} EXIT 4 STDERR "exists already; --force replaces it\n$")
voldiff_test(NAME convert_onto_itself ARGS convert ${models}/diff_unet.safetensors ${models}/diff_unet.safetensors --force EXIT 2 STDERR "the file to convert itself")
voldiff_test(NAME convert_extension ARGS convert ${models}/diff_unet.safetensors ${kept}/unet.onnx EXIT 2 STDERR "expected a name that ends in .safetensors, .pt")
voldiff_test(NAME convert_layout_unknown ARGS convert ${models}/diff_unet.safetensors ${kept}/none.pt --layout diffusers EXIT 2 STDERR "diffusers")
voldiff_test(NAME convert_needs_choice ARGS convert ${models}/diff_unet.safetensors ${kept}/none.pt --layout generative EXIT 5
             STDERR "--drop-proj leaves them out .*--identity-proj puts in .*--keep-proj keeps them\n$")
voldiff_test(NAME convert_both_forms ARGS convert ${models}/diff_unet.safetensors ${kept}/none.pt --fuse-qkv --split-qkv EXIT 2)
voldiff_test(NAME convert_autoencoder_needs_network ARGS convert ${models}/autoencoder.safetensors ${kept}/none.pt --layout generative EXIT 5
             STDERR "--network FILE --as NAME")
voldiff_test(NAME convert_autoencoder_refused ARGS convert ${models}/autoencoder.safetensors ${kept}/none.pt --layout generative
             --network ${demo} --as autoencoder EXIT 5 STDERR "upsamples to the nearest voxel, AutoencoderKlMaisi trilinearly")
voldiff_test(NAME convert_network_alone ARGS convert ${models}/diff_unet.safetensors ${kept}/none.pt --network ${demo} EXIT 2 STDERR "--network and --as go together")
voldiff_test(NAME convert_as_unknown ARGS convert ${models}/diff_unet.safetensors ${kept}/none.pt --network ${demo} --as unet EXIT 3 STDERR "autoencoder, diffusion_unet")
voldiff_test(NAME convert_check ARGS convert ${models}/diff_unet.safetensors ${kept}/fused.safetensors --fuse-qkv --force --json --check
             --network ${demo} --as diffusion_unet JSON STDOUT "\"largest_difference\": [0-9.e-]+,")
voldiff_test(NAME convert_check_of_another ARGS convert ${models}/autoencoder.safetensors ${kept}/none.pt --check
             --network ${demo} --as diffusion_unet EXIT 5 STDERR "--check: .*autoencoder.safetensors: the weights")
voldiff_test(NAME convert_rounds ARGS convert ${models}/diff_unet.safetensors ${kept}/bf16.safetensors --force --dtype bfloat16 STDOUT "305 +tensors become BFloat16 .rounded.\nlossless +no\n$")
voldiff_test(NAME convert_hostile ARGS convert ${data}/checkpoints/corrupted_data_crc.pt ${kept}/none.pt EXIT 5)
add_test(NAME cli.convert_left_nothing COMMAND test ! -e ${kept}/none.pt)

# export-torchscript, and what it wrote in the place of weights
voldiff_test(NAME export_autoencoder ARGS export-torchscript ${demo} autoencoder ${kept}/autoencoder.ts --check --force
             STDOUT "largest_difference [0-9.e-]+\n")
voldiff_test(NAME export_extension ARGS export-torchscript ${demo} autoencoder ${kept}/autoencoder.pt EXIT 2 STDERR "expected a name that ends in .ts")
voldiff_test(NAME export_unknown_network ARGS export-torchscript ${demo} unet ${kept}/none.ts EXIT 3 STDERR "autoencoder, diffusion_unet")
voldiff_test(NAME export_unknown_block ARGS export-torchscript ${demo} diffusion_unet ${kept}/none.ts --block middle_block.attn EXIT 2
             STDERR "there is no 'attn'; at its place are resnet_1, attention, resnet_2")
voldiff_test(NAME torchscript_decodes ARGS ${quick} --set weights.autoencoder=${kept}/autoencoder.ts -o ${made}/scripted.nii.gz
             STDERR "autoencoder.ts is run as a TorchScript module")
voldiff_test(NAME torchscript_compare ARGS ${quick} -o ${made}/unscripted.nii.gz)
volume_matches(torchscript_decodes ${made}/scripted.nii.gz ${made}/unscripted.nii.gz)
set_tests_properties(cli.export_autoencoder PROPERTIES FIXTURES_SETUP exported)
set_tests_properties(cli.torchscript_compare PROPERTIES FIXTURES_SETUP unscripted)
set_tests_properties(cli.torchscript_decodes PROPERTIES FIXTURES_REQUIRED exported)
set_tests_properties(cli.torchscript_decodes_matches PROPERTIES FIXTURES_REQUIRED "torchscript_decodes;unscripted")
voldiff_test(NAME torchscript_of_another ARGS ${quick} --set weights.diffusion_unet=${kept}/autoencoder.ts -o ${made}/none.nii.gz EXIT 5
             STDERR "has forward.x.: no 'timesteps', no 'class_labels', no 'spacing_tensor'")
set_tests_properties(cli.torchscript_of_another PROPERTIES FIXTURES_REQUIRED exported)
