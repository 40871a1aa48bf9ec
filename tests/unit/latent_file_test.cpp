// Volumes on their way into the encoder and back, and latents in their files.
#include "io/latent/encoder_input.h"
#include "io/sidecar.h"
#include "io/volume/orientation.h"
#include "tests/config_helpers.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>

#include <algorithm>
#include <set>

namespace voldiff {

namespace {

// HU that tell every voxel apart, on axes that run along `order`, backwards where the bit of `flips` is set.
Volume volume_along(const std::array<std::size_t, 3>& order, unsigned flips) {
    Volume volume{(at::arange(7 * 6 * 5, at::kShort) - 100).view({7, 6, 5}), {}};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const double step = 1.5 + 0.25 * static_cast<double>(axis);
        volume.affine[order[axis]][axis] = (flips >> axis & 1U) != 0 ? -step : step;
        volume.affine[axis][3] = 10.5 * static_cast<double>(axis) - 3;
    }
    volume.affine[3][3] = 1;
    return volume;
}

AutoencoderKlConfig autoencoder() {
    AutoencoderKlConfig config;
    config.num_channels = {4, 4, 4};
    config.latent_channels = 3;
    return config;
}

class LatentFile : public ConfigFolder {
  protected:
    // Of a volume of 7 x 6 x 5 voxels, padded to 8 x 8 x 8.
    static Latent made() {
        const EncoderInput input = encoder_input(volume_along({0, 1, 2}, 0), "ct", 4, true);
        LatentRecord record = input.record;
        record.autoencoder = "abc";
        return {at::randn({1, 3, 2, 2, 2}), input.affine, record};
    }

    void write_record(const std::filesystem::path& file, const LatentRecord& record) const {
        nlohmann::ordered_json json = {{"latent", {{"file", file.filename().string()}}}};
        json["latent"].update(to_json(record));
        write(sidecar_path(file).filename().string(), json.dump());
    }
};

void expect_equal(const LatentRecord& a, const LatentRecord& b) {
    EXPECT_EQ(to_json(a), to_json(b));
    EXPECT_EQ(a.affine, b.affine);
}

}  // namespace

TEST(EncoderInput, EveryOrientationComesBackAsItWas) {
    std::set<std::string> seen;
    std::array<std::size_t, 3> order{0, 1, 2};
    do {
        for (unsigned flips = 0; flips < 8; ++flips) {
            const Volume volume = volume_along(order, flips);
            seen.insert(orientation_code(volume.affine));
            const EncoderInput input = encoder_input(volume, "ct", 4, true);
            EXPECT_EQ(orientation_code(input.affine), "RAS");
            EXPECT_EQ(input.image.sizes(), (at::IntArrayRef{1, 1, 8, 8, 8}));
            const Volume back = on_own_voxels(to_intensity(input.image, input.record.range), input.record);
            EXPECT_EQ(back.affine, volume.affine);
            EXPECT_LT((back.voxels - volume.voxels).abs().max().item<double>(), 1e-3);
        }
    } while (std::next_permutation(order.begin(), order.end()));
    EXPECT_EQ(seen.size(), 48U);
}

TEST(EncoderInput, PaddingMovesTheOrigin) {
    const Volume volume = volume_along({0, 1, 2}, 0);  // 7, 6, 5 voxels of 1.5, 1.75, 2 mm
    const EncoderInput input = encoder_input(volume, "ct", 4, true);
    // One voxel before y and z; none before x.
    EXPECT_DOUBLE_EQ(input.affine[0][3], volume.affine[0][3]);
    EXPECT_DOUBLE_EQ(input.affine[1][3], volume.affine[1][3] - 1.75);
    EXPECT_DOUBLE_EQ(input.affine[2][3], volume.affine[2][3] - 2);
}

TEST(EncoderInput, NamesEveryAxisThatDoesNotDivide) {
    const std::string message = message_of(ErrorCode::config, [] {
        encoder_input(volume_along({2, 0, 1}, 0), "ct", 4, false);
    });
    expect_contains(message, "7 x 6 x 5 voxels, expected multiples of 4");
    expect_contains(message, "x (inferior-superior) has 7: crop to 4 or pad to 8");
    expect_contains(message, "y (left-right) has 6: crop to 4 or pad to 8");
    expect_contains(message, "z (posterior-anterior) has 5: crop to 4 or pad to 8");
    expect_contains(message, "--pad");
    expect_contains(message_of(ErrorCode::config,
                               [] {
                                   encoder_input(volume_along({0, 1, 2}, 0), "ct", 8, false);
                               }),
                    "z (inferior-superior) has 5: pad to 8");
}

TEST_F(LatentFile, ComesBackFromEveryFormat) {
    const Latent latent = made();
    for (const std::string name : {"a.nii.gz", "a.nii", "a.safetensors"}) {
        const std::filesystem::path file = folder / name;
        write_latent(file, latent);
        if (name != "a.safetensors") write_record(file, *latent.record);
        const Latent back = read_latent(file);
        EXPECT_TRUE(at::equal(back.values, latent.values)) << name;
        ASSERT_TRUE(back.record) << name;
        expect_equal(*back.record, *latent.record);
        expect_equal(record_for(back, autoencoder(), "mri_t1"), *latent.record);
    }
}

TEST_F(LatentFile, WithoutARecordIsTakenAsMaisis) {
    const Latent latent = made();
    write_latent(folder / "b_emb.nii.gz", latent);
    const Latent back = read_latent(folder / "b_emb.nii.gz");
    EXPECT_FALSE(back.record);
    const LatentRecord record = record_for(back, autoencoder(), "ct");
    EXPECT_EQ(record.size, (Extents{8, 8, 8}));
    EXPECT_EQ(record.padded_size, (Extents{8, 8, 8}));
    EXPECT_EQ(record.range.lower, -1000);
    EXPECT_EQ(record_for(back, autoencoder(), "9").range.upper, 1000);
    for (std::size_t row = 0; row < 3; ++row)
        for (std::size_t column = 0; column < 4; ++column)
            EXPECT_NEAR(record.affine[row][column], latent.affine[row][column], 1e-5);
    write("b_emb.json", R"({"latent": {"file": "another.nii.gz"}})");
    EXPECT_FALSE(read_latent(folder / "b_emb.nii.gz").record) << "the record of another file";
    write("b_emb.json", "no JSON");
    EXPECT_FALSE(read_latent(folder / "b_emb.nii.gz").record);
}

TEST_F(LatentFile, OfAnotherModelIsRefused) {
    Latent latent = made();
    AutoencoderKlConfig other = autoencoder();
    other.latent_channels = 4;
    expect_contains(message_of(ErrorCode::config, [&] { record_for(latent, other, "ct"); }),
                    "3 channels, expected 4 as the autoencoder's latents have");
    other = autoencoder();
    other.num_channels = {4, 4};
    expect_contains(message_of(ErrorCode::config, [&] { record_for(latent, other, "ct"); }),
                    "8 x 8 x 8 voxels were encoded, but the autoencoder makes 4 x 4 x 4 of it");
    latent.record->size = {9, 6, 5};
    expect_contains(message_of(ErrorCode::config, [&] { record_for(latent, autoencoder(), "ct"); }), "another model");
    latent.record.reset();
    latent.affine[0][0] = -latent.affine[0][0];
    expect_contains(message_of(ErrorCode::config, [&] { record_for(latent, autoencoder(), "ct"); }),
                    "its axes run LAS, expected RAS");
}

TEST_F(LatentFile, WithABrokenRecordIsRefused) {
    const Latent latent = made();
    const std::filesystem::path file = folder / "c.nii.gz";
    write_latent(file, latent);
    write("c.json", R"({"latent": {"file": "c.nii.gz"}})");
    expect_contains(message_of(ErrorCode::config, [&] { read_latent(file); }), "not whole");
    for (const double factor : {0.0, -1.0}) {
        LatentRecord record = *latent.record;
        record.scale_factor = factor;
        write_record(file, record);
        expect_contains(message_of(ErrorCode::config, [&] { read_latent(file); }), "'scale_factor' is not above 0");
    }
    LatentRecord record = *latent.record;
    record.range.upper = record.range.lower;
    write_record(file, record);
    expect_contains(message_of(ErrorCode::config, [&] { read_latent(file); }), "'intensity_range' is empty");
}

TEST_F(LatentFile, IsNoImageAndNoCheckpoint) {
    expect_contains(message_of(ErrorCode::config, [&] { read_latent(folder / "a.nrrd"); }), "found '.nrrd'");
    expect_contains(message_of(ErrorCode::io, [&] { read_latent(folder / "none.nii.gz"); }), "there is no such file");
    write_volume(folder / "image.nii.gz", volume_along({0, 1, 2}, 0));
    expect_contains(message_of(ErrorCode::io, [&] { read_latent(folder / "image.nii.gz"); }), "found int16");
    const std::string checkpoint = std::string(TEST_DATA) + "/checkpoints/model.safetensors";
    expect_contains(message_of(ErrorCode::io, [&] { read_latent(checkpoint); }), "holds no latent of voldiff");
}

}  // namespace voldiff
