#include "app/commands/commands.h"

namespace voldiff {

const std::vector<Command>& commands() {
    static const std::vector<Command> table = {
        {"generate",
         "make volumes from a run config, a record of an earlier run, or MAISI's files",
         {"configs/demo.yaml --seed 7", "configs/demo.yaml --count 10 --set output.directory=night --dry-run",
          "-t config_network_rflow.json -e environment_maisi_diff_model_rflow-ct.json "
          "-c config_maisi_diff_model_rflow-ct.json -o ct.nii.gz"},
         add_generate},
        {"inspect",
         "show what a checkpoint, a volume or a config holds",
         {"diff_unet_3d_rflow-ct.pt", "--json --all autoencoder_v1.pt", "output/ct_seed0_000.nii.gz"},
         add_inspect},
        {"compare",
         "compare two volumes, or two runs on the same seeds: the ablation tool",
         {"a.nii.gz b.nii.gz --labels organs.nii.gz", "a.yaml b.yaml --seeds 0..7 --json",
          "configs/demo.yaml --ablate diffusion_unet_def.include_fc --seeds 0..3",
          "configs/demo.yaml --set-b sampling.steps=10"},
         add_compare},
        {"doctor", "show versions, devices, threads and memory", {"", "--json", "--json | jq .memory"}, add_doctor},
    };
    return table;
}

}  // namespace voldiff
