# Images and the labels they were made for: masks of a library, and masks that networks make.

set(paired generate ${PROJECT_SOURCE_DIR}/configs/demo-paired.yaml --force)
set(none -o ${made}/none.nii.gz)

# From a library
voldiff_test(NAME paired ARGS ${paired} -o ${made}/pair.nii.gz --steps 2 STDOUT "pair.nii.gz\n.*pair_label.nii.gz\n$"
             STDERR "mask: .*demo_model/mask_00.nii.gz.*trying another mask.*the image is kept all the same")
voldiff_test(NAME paired_again ARGS generate ${made}/pair.json --force -o ${made}/pair_again.nii.gz)
volume_matches(paired ${made}/pair_again.nii.gz ${made}/pair.nii.gz)
add_test(NAME cli.paired_label_again COMMAND volume_check ${made}/pair_again_label.nii.gz ${made}/pair_label.nii.gz 0)
set_tests_properties(cli.paired_again PROPERTIES FIXTURES_REQUIRED paired FIXTURES_SETUP paired_again)
set_tests_properties(cli.paired_matches cli.paired_label_again PROPERTIES FIXTURES_REQUIRED "paired;paired_again")
voldiff_test(NAME paired_json ARGS ${paired} --json --steps 1 --count 2 --set mask.tries=1 --set output.directory=${made}/pairs
             STDOUT "\"label\": \".*demo-paired_seed0_000_label.nii.gz\".*demo-paired_seed1_001_label.nii.gz")
voldiff_test(NAME paired_resampled ARGS ${paired} --steps 1 --size 64 64 32 --spacing 7 7 12 --set mask.tries=1 -o ${made}/resampled.nii.gz)
voldiff_test(NAME library_masks_only ARGS ${paired} --set mask.only=true --set "mask.anatomy_list=[liver]" -o ${made}/only.nii.gz
             STDERR "mask: .*mask_02.nii.gz" NOT "denoise")
voldiff_test(NAME paired_plan ARGS ${paired} --dry-run ${none} JSON STDOUT "none_label.nii.gz")
voldiff_test(NAME paired_unknown_organ ARGS ${paired} --set "mask.anatomy_list=[spleeen]" ${none} EXIT 3
             STDERR "'mask.anatomy_list': unknown anatomy 'spleeen'. did you mean 'spleen'")
voldiff_test(NAME paired_empty_list ARGS ${paired} --set "mask.anatomy_list=[]" ${none} EXIT 3 STDERR "'mask.anatomy_list' is empty")
voldiff_test(NAME paired_unknown_region ARGS ${paired} --set "mask.body_region=[chests]" ${none} EXIT 3 STDERR "'mask.body_region': .*chest")
voldiff_test(NAME paired_no_mask ARGS ${paired} --set "mask.anatomy_list=[prostate]" ${none} EXIT 3
             STDERR "masks.json: of 3 masks 0 have what is asked for .prostate,")
voldiff_test(NAME paired_no_region ARGS ${paired} --set "mask.body_region=[pelvis]" ${none} EXIT 3 STDERR "pelvis, lung tumor, liver")
voldiff_test(NAME paired_lost_in_resampling ARGS ${paired} --size 32 32 32 --spacing 3 3 3 ${none} EXIT 3 STDERR "keeps it at the run's size and spacing")
voldiff_test(NAME paired_no_library ARGS ${paired} --set mask.library=nowhere ${none} EXIT 4 STDERR "'mask.library': there is no folder '.*nowhere'")
voldiff_test(NAME paired_library_not_given ARGS ${paired} --set mask.library= ${none} EXIT 3 STDERR "'mask.anatomy_list' needs 'mask.library'")
voldiff_test(NAME paired_bad_index ARGS ${paired} --set mask.library_index=${data}/real/incomplete_map.yaml ${none} EXIT 3 STDERR "is not a JSON list")
voldiff_test(NAME paired_and_file ARGS ${paired} --mask ${volume} ${none} EXIT 3 STDERR "three ways to a mask; keep one")
voldiff_test(NAME paired_size_not_divisible ARGS ${paired} --size 60 64 64 ${none} EXIT 3 STDERR "expected multiples of 32")
voldiff_test(NAME paired_missing_weights ARGS ${paired} --set weights.controlnet=gone.pt ${none} EXIT 4 STDERR "'weights.controlnet': there is no file .*gone.pt")
voldiff_test(NAME paired_modality ARGS ${paired} --modality nothing ${none} EXIT 3 STDERR "'image.modality': ")

# Masks that networks make
set(masks generate ${data}/mask_generation/run.yaml --force)
voldiff_test(NAME mask_only ARGS ${masks} -o ${made}/mask.nii.gz STDOUT "mask.nii.gz\n$" STDERR "mask denoise 4/4.*mask decode.*mask clean-up")
voldiff_test(NAME mask_only_again ARGS generate ${made}/mask.json --force -o ${made}/mask_again.nii.gz)
add_test(NAME cli.mask_only_matches COMMAND volume_check ${made}/mask_again.nii.gz ${made}/mask.nii.gz 0)
set_tests_properties(cli.mask_only PROPERTIES FIXTURES_SETUP mask_only)
set_tests_properties(cli.mask_only_again PROPERTIES FIXTURES_REQUIRED mask_only FIXTURES_SETUP mask_only_again)
set_tests_properties(cli.mask_only_matches PROPERTIES FIXTURES_REQUIRED "mask_only;mask_only_again")
voldiff_test(NAME mask_only_sampler ARGS ${masks} --set "mask.scheduler={type: ddim}" -o ${made}/mask_ddim.nii.gz)
voldiff_test(NAME mask_only_windows ARGS ${masks} --decode sliding_window --set "decode.roi=[6, 6, 6]" -o ${made}/mask_windows.nii.gz STDERR "mask decode [0-9]+/8")
voldiff_test(NAME mask_sampler_unknown ARGS ${masks} --set "mask.scheduler={type: ddmm}" ${none} EXIT 3 STDERR "mask.scheduler.*did you mean 'ddim'|mask.scheduler.*ddim")
voldiff_test(NAME mask_anatomy_unknown ARGS ${masks} --set "mask.controllable_anatomy_size={livr: 0.5}" ${none} EXIT 3
             STDERR "'livr' has no size to choose. did you mean 'liver'")
voldiff_test(NAME mask_size_out_of_range ARGS ${masks} --set "mask.controllable_anatomy_size={liver: 1.5}" ${none} EXIT 3 STDERR "'liver' is 1.5.*, expected 0 to 1, or -1")
voldiff_test(NAME mask_size_no_number ARGS ${masks} --set "mask.controllable_anatomy_size={liver: big}" ${none} EXIT 3 STDERR "controllable_anatomy_size.liver' is 'big', expected a number")
voldiff_test(NAME mask_two_tumors ARGS ${masks} --set "mask.controllable_anatomy_size={lung tumor: 0.5, bone lesion: 0.2}" ${none}
             EXIT 3 STDERR "several tumours, expected one: bone lesion, lung tumor")
voldiff_test(NAME mask_no_table ARGS ${masks} --set mask.size_conditions=gone.json ${none} EXIT 4 STDERR "'mask.size_conditions': there is no file .*gone.json")
voldiff_test(NAME mask_missing_weights ARGS ${masks} --set weights.mask_generation_diffusion=gone.pt ${none} EXIT 4 STDERR "mask_generation_diffusion': there is no file")
voldiff_test(NAME mask_no_networks ARGS generate ${demo} --force --set "mask.controllable_anatomy_size={liver: 0.5}" ${none} EXIT 3 STDERR "needs the networks of masks")
voldiff_test(NAME mask_only_of_nothing ARGS generate ${demo} --force --set mask.only=true ${none} EXIT 3 STDERR "'mask.only' has no mask to make")

# MAISI's own files
foreach(kind library sizes)
  voldiff_test(NAME maisi_pairs_${kind} ARGS generate -t ../mask_generation/network.yaml -e environment.json --mask-inference infer_${kind}.json
               --force --set output.directory=${made} --set mask.tries=1 STDOUT "sample_seed0_image.nii.gz\n.*sample_seed0_label.nii.gz\n$")
  set_tests_properties(cli.maisi_pairs_${kind} PROPERTIES WORKING_DIRECTORY ${data}/maisi_pairs RESOURCE_LOCK sample_seed0)
endforeach()
voldiff_test(NAME maisi_pairs_empty ARGS generate -t ../mask_generation/network.yaml -e environment.json --mask-inference infer_empty.json EXIT 3
             STDERR "infer_empty.json:4:.*'mask.anatomy_list' is empty")
voldiff_test(NAME maisi_pairs_untrained ARGS generate -t ../mask_generation/network.yaml -e environment.json --mask-inference infer_library.json EXIT 3
             STDERR "'image.size' is 64x64x64, but the model was trained for 256x256x128.*--force")
set_tests_properties(cli.maisi_pairs_empty cli.maisi_pairs_untrained PROPERTIES WORKING_DIRECTORY ${data}/maisi_pairs)

# A mask that lies beside the body
voldiff_test(NAME mask_outside_body ARGS ${masked} --mask ${data}/real/ct_3mm_small_shifted_mask.nii.gz --set mask.labels=${data}/real/totalsegmentator_to_maisi.yaml
             --set mask.body_from=${data}/real/ct_3mm_small.nii.gz ${none} EXIT 3 STDERR "% of the labelled voxels lie in the air around the body")
