#include "app/commands/commands.h"

namespace voldiff {

const std::vector<Command>& commands() {
    static const std::vector<Command> table = {
        {"generate",
         "make volumes from a run config, a record of an earlier run, or MAISI's files",
         {"configs/demo.yaml --seed 7", "configs/demo.yaml --count 10 --set output.directory=night --dry-run",
          "configs/demo.yaml --from ct.nii.gz --strength 0.4 --set encode.pad=true",
          "-t config_network_rflow.json -e environment_maisi_diff_model_rflow-ct.json "
          "-c config_maisi_diff_model_rflow-ct.json -o ct.nii.gz"},
         add_generate,
         scheduler_help},
        {"encode",
         "from a volume to the latent of an autoencoder",
         {"ct.nii.gz -o ct_emb.nii.gz --config configs/demo.yaml --pad",
          "mr.nii.gz -o mr.safetensors --config configs/rflow-mr.yaml --modality mri_t1 --sample --seed 3"},
         add_encode},
        {"decode",
         "from a latent back to a volume",
         {"ct_emb.nii.gz -o back.nii.gz", "ct_emb.nii.gz -o back.nii.gz --config configs/demo.yaml --decode whole"},
         add_decode},
        {"batch",
         "make many volumes from a list of runs; resumable, by one process or many, or by Slurm",
         {"jobs.yaml", "jobs.yaml --dry-run", "jobs.yaml --workers 2 --output night", "jobs.yaml --status"},
         add_batch},
        {"inspect",
         "show what a checkpoint, a volume or a config holds",
         {"diff_unet_3d_rflow-ct.pt", "--json --all autoencoder_v1.pt", "output/ct_seed0_000.nii.gz"},
         add_inspect},
        {"convert",
         "rewrite a checkpoint: file format, key layout, fused or separate projections, type",
         {"diff_unet_3d_rflow-ct.pt unet.safetensors", "old.pt new.pt --layout monai-1.5 --drop-proj",
          "unet.pt half.safetensors --fuse-qkv --dtype float16 --network config_network_rflow.json --as diffusion_unet "
          "--check"},
         add_convert},
        {"export-torchscript",
         "write a network, or a block of one, as a TorchScript module",
         {"configs/demo.yaml diffusion_unet unet.ts", "configs/demo.yaml autoencoder autoencoder.ts --check",
          "configs/demo.yaml diffusion_unet block.ts --block middle_block.attention"},
         add_export_torchscript},
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
