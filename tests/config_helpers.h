// For the tests of io/config: a folder for files that goes away, and the message of an error.
#pragma once

#include "core/error.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace voldiff {

// An empty folder and the repository's configs as data directory.
class ConfigFolder : public ::testing::Test {
  protected:
    void SetUp() override {
        ::setenv("VOLDIFF_DATA", (std::string(PROJECT_ROOT) + "/configs").c_str(), 1);
        ::unsetenv("VOLDIFF_MODELS");
        std::string name = (std::filesystem::temp_directory_path() / "voldiff-config-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder = name;
    }

    void TearDown() override { std::filesystem::remove_all(folder); }

    // The path of the new file.
    std::string write(const std::string& name, const std::string& text) const {
        const std::filesystem::path path = folder / name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << text;
        return path.string();
    }

    std::filesystem::path folder;
};

// What `action` throws; a failure of the test where it throws nothing or another code.
template <class Action>
std::string message_of(ErrorCode code, Action&& action) {
    try {
        action();
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), code) << e.what();
        return e.what();
    }
    ADD_FAILURE() << "nothing was thrown";
    return "";
}

inline void expect_contains(const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << "expected: " << part << "\nin: " << text;
}

// A small network whose options are all valid.
inline const char* const small_network = R"(latent_channels: 4
autoencoder_def:
  _target_: AutoencoderKlMaisi
  in_channels: 1
  out_channels: 1
  num_channels: [4, 8, 8]
  num_res_blocks: [1, 1, 1]
  attention_levels: [false, false, false]
  latent_channels: "@latent_channels"
  norm_num_groups: 2
diffusion_unet_def:
  _target_: DiffusionModelUNetMaisi
  in_channels: "@latent_channels"
  out_channels: "$@latent_channels"
  num_channels: [4, 8]
  attention_levels: [false, true]
  num_head_channels: [0, 4]
  num_res_blocks: 1
  norm_num_groups: 2
noise_scheduler:
  _target_: monai.networks.schedulers.rectified_flow.RFlowScheduler
  num_train_timesteps: 1000
)";

}  // namespace voldiff
