#include "core/anatomy/mask_library.h"

#include "io/anatomy/mask_database.h"
#include "tests/config_helpers.h"

namespace voldiff {

namespace {

constexpr RegionIndex chest{0, 1, 0, 0};
constexpr RegionIndex abdomen{0, 0, 1, 0};

LibraryMask library_entry(const std::string& file, std::vector<std::int64_t> labels, std::int64_t extent,
                          double spacing) {
    return {
        file, std::move(labels), {{extent, extent, extent}, {spacing, spacing, spacing}}, BodyRegions{chest, abdomen}};
}

std::vector<std::string> files_of(const std::vector<LibraryMask>& masks) {
    std::vector<std::string> files;
    for (const LibraryMask& mask : masks) files.push_back(mask.file);
    return files;
}

using Files = std::vector<std::string>;

class MaskDatabase : public ConfigFolder {};

}  // namespace

TEST(MaskLibrary, AMaskHasAllThatIsWishedAndNoOtherTumor) {
    const std::vector<LibraryMask> library = {library_entry("plain", {1, 3}, 256, 1),
                                              library_entry("sick", {1, 3, 26}, 256, 1),
                                              library_entry("no spleen", {1}, 256, 1)};
    EXPECT_EQ(files_of(masks_with(library, {{1}, {1}})), (Files{"plain", "no spleen"}));
    EXPECT_EQ(files_of(masks_with(library, {{1, 2}, {3, 1}})), (Files{"plain"}));
    EXPECT_EQ(files_of(masks_with(library, {{}, {26}})), (Files{"sick"}));
    EXPECT_TRUE(masks_with(library, {{0}, {}}).empty()) << "the head is above the chest";
    EXPECT_TRUE(masks_with(library, {{3}, {}}).empty());
}

TEST(MaskLibrary, AMaskWithoutRegionsServesEveryRegion) {
    LibraryMask mask = library_entry("mr", {1}, 256, 1);
    mask.regions.reset();
    EXPECT_EQ(masks_with({mask}, {{0, 3}, {1}}).size(), 1U);
}

TEST(MaskLibrary, TheMostAlikeGridComesFirst) {
    const ImageGrid wished{{256, 256, 256}, {1.5, 1.5, 1.5}};
    const std::vector<LibraryMask> masks = {library_entry("coarse", {}, 128, 3), library_entry("fine", {}, 512, 0.75),
                                            library_entry("same", {}, 256, 1.5), library_entry("near", {}, 129, 3)};
    EXPECT_EQ(files_of(nearest_first(masks, wished)), (Files{"same", "near", "fine"})) << "128 is 128 too few";
}

TEST(ImageGrids, SnapToWhatTheNetworksKnow) {
    const ImageGrid good{{512, 512, 768}, {0.5, 0.5, 5}};
    EXPECT_TRUE(is_ct_grid(good));
    EXPECT_FALSE(is_ct_grid({{512, 256, 768}, {0.5, 0.5, 5}}));
    EXPECT_FALSE(is_ct_grid({{512, 512, 700}, {0.5, 0.5, 5}}));
    EXPECT_FALSE(is_ct_grid({{512, 512, 768}, {0.5, 0.5, 5.5}}));
    EXPECT_FALSE(is_ct_grid({{512, 512, 768}, {0.5, 0.6, 5}}));
    const ImageGrid same = nearest_ct_grid(good);
    EXPECT_EQ(same.size, good.size);
    EXPECT_EQ(same.spacing, good.spacing);
    const ImageGrid snapped = nearest_ct_grid({{200, 300, 100}, {2, 1, 10}});
    EXPECT_EQ(snapped.size, (std::array<std::int64_t, 3>{256, 256, 128}));
    EXPECT_EQ(snapped.spacing, (std::array<double, 3>{350.0 / 256, 350.0 / 256, 5})) << "1000 mm across do not fit";
    EXPECT_EQ(nearest_ct_grid({{320, 320, 192}, {1, 1, 1}}).size, (std::array<std::int64_t, 3>{256, 256, 128}))
        << "the smaller of equals";
    for (const ImageGrid& grid : {ImageGrid{{17, 90, 33}, {0.1, 9, 0.3}}, ImageGrid{{999, 999, 999}, {0.9, 0.9, 0.9}}})
        EXPECT_TRUE(is_ct_grid(nearest_ct_grid(grid)));
}

TEST_F(MaskDatabase, IsReadFromItsFiles) {
    const std::string file = write("database.json", R"([{"pseudo_label_filename": "a.nii.gz", "label_list": [1, 200],
        "dim": [256, 256, -128], "spacing": [1.5, 1.5, 2], "top_region_index": [0, 1, 0, 0], "bottom_region_index": [0, 0, 1, 0]},
        {"pseudo_label_filename": "b.nii.gz", "label_list": [], "dim": [1, 2, 3], "spacing": [1, 1, 1]}])");
    const std::vector<LibraryMask> library = read_mask_library(file);
    ASSERT_EQ(library.size(), 2U);
    EXPECT_EQ(library[0].file, "a.nii.gz");
    EXPECT_EQ(library[0].labels, (std::vector<std::int64_t>{1, 200}));
    EXPECT_EQ(library[0].grid.size, (std::array<std::int64_t, 3>{256, 256, 128}));
    ASSERT_TRUE(library[0].regions);
    EXPECT_EQ(library[0].regions->bottom, abdomen);
    EXPECT_FALSE(library[1].regions);
}

TEST_F(MaskDatabase, RefusesAnotherForm) {
    const auto refused = [&](const std::string& text) {
        return message_of(ErrorCode::config, [&] { read_size_conditions(write("x.json", text)); });
    };
    EXPECT_EQ(read_size_conditions(write("s.json", R"([{"organ_size": [0, 1, 2, 3, 4, 5, 6, 7, 8, -1]}])"))[0][9], -1);
    expect_contains(refused(R"([{"organ_size": [0, 1]}])"), "entry 0");
    expect_contains(refused(R"([{"organ_size": [0, 1, 2, 3, 4, 5, 6, 7, 8, "a"]}])"), "entry 0");
    expect_contains(refused(R"([{"organ_size": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}])"), "a list of 11, expected 10");
    expect_contains(refused("{}"), "not a JSON list");
    expect_contains(refused("[1,"), "not a JSON list");
    message_of(ErrorCode::io, [&] { read_mask_library(folder / "none.json"); });
}

}  // namespace voldiff
