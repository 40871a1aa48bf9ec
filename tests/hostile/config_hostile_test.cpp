// Config files that are broken, absurd or made to do harm: each is refused with its place, and quickly.
#include "io/config/config_file.h"
#include "io/config/maisi_config.h"
#include "io/config/print.h"
#include "io/config/references.h"
#include "io/config/run_config.h"
#include "io/config/yaml.h"
#include "tests/config_helpers.h"

#include <random>

namespace voldiff {

namespace {

std::string repeated(const std::string& text, std::size_t count) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) all += text;
    return all;
}

std::string refusal_of(const std::string& text) {
    return message_of(ErrorCode::config, [&] { parse_yaml(text, "x.yaml"); });
}

class HostileConfig : public ConfigFolder {
  protected:
    void SetUp() override {
        ConfigFolder::SetUp();
        file = (folder / "run.yaml").string();
    }

    // Of a run config with a good network and `text`, which starts on line 2.
    std::string problem_of(const std::string& text, const std::vector<Override>& overrides = {}) {
        write("net.yaml", small_network);
        write("run.yaml", "network: net.yaml\n" + text);
        return message_of(ErrorCode::config, [&] { load_run_config({file, overrides, {}}); });
    }

    void expect_problem(const std::string& text, const std::string& place, const std::string& message) {
        const std::string found = problem_of(text);
        EXPECT_EQ(found, file + place + message) << text;
    }

    std::string file;
};

}  // namespace

TEST(HostileYaml, DeepNesting) {
    const std::string limit = "more than 64 levels deep";
    expect_contains(refusal_of("a: " + repeated("[", 64) + repeated("]", 64)), "x.yaml:1:67: " + limit);
    expect_contains(refusal_of(repeated("{a: ", 65) + repeated("}", 65)), "x.yaml:1:257: " + limit);
    EXPECT_EQ(refusal_of(repeated("[", 100000)).find("x.yaml:1:"), 0U);
    EXPECT_EQ(refusal_of(repeated("{a: ", 100000)).find("x.yaml:1:"), 0U);
    expect_contains(refusal_of(repeated("- ", 100000)), limit);
    expect_contains(refusal_of(repeated("? ", 100000)), "x.yaml:1:3: a key is expected to be a plain name");
    EXPECT_NO_THROW(parse_yaml(repeated("[", 64) + repeated("]", 64), "x.yaml"));
}

TEST(HostileYaml, BillionLaughs) {
    std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 12; ++i) {
        const std::string before = "*a" + std::to_string(i - 1);
        text +=
            "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + repeated(before + " , ", 9) + before + "]\n";
    }
    const std::string message = refusal_of(text);
    EXPECT_EQ(message.find("x.yaml:5:"), 0U) << message;
    expect_contains(message, "more than 20000 values, anchors expanded");
}

TEST(HostileYaml, NestedAliasesCannotExceedTheDepth) {
    std::string text = "a0: &a0 [x]\n";
    for (int i = 1; i < 100; ++i) {
        text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
    }
    expect_contains(refusal_of(text), "more than 64 levels deep");
}

TEST(HostileYaml, AliasesOfThemselvesAndOfNothing) {
    EXPECT_EQ(refusal_of("a: &a [1, *a]"), "x.yaml:1:11: this alias is inside the value that it stands for");
    expect_contains(refusal_of("b: *a"), "x.yaml:1:4: syntax error");
}

TEST(HostileYaml, DuplicateKeys) {
    EXPECT_EQ(refusal_of("a: 1\nb: {c: 1, c: 2}\n"), "x.yaml:2:11: the key 'c' is given twice in this map");
    EXPECT_EQ(refusal_of("{\"a\": 1,\n \"a\": 2}"), "x.yaml:2:2: the key 'a' is given twice in this map");
}

TEST(HostileYaml, KeysThatAreNoNames) {
    for (const char* text : {"? [1]\n: 2\n", "? {a: 1}\n: 2\n", "~: 1\n", "a: &x 1\n*x : 2\n"}) {
        expect_contains(refusal_of(text), "a key is expected to be a plain name");
    }
    EXPECT_EQ(refusal_of("a: &x {b: 1}\nc: {<<: *x}\n"),
              "x.yaml:2:5: merge keys are not supported; name a base file with 'extends'");
}

TEST(HostileYaml, Tags) {
    expect_contains(refusal_of("a: !!python/object/apply:os.system [\"true\"]"),
                    "python/object/apply:os.system' is not supported");
    expect_contains(refusal_of("a: !include b.yaml"), "x.yaml:1:4: the tag '!include' is not supported; leave it out");
}

TEST(HostileYaml, ManyDocuments) {
    EXPECT_EQ(refusal_of("a: 1\n---\nb: 2\n"), "x.yaml:3:1: a second document starts here, expected one in a file");
}

TEST(HostileYaml, BadSyntax) {
    for (const char* text :
         {"a: [1, 2", "a: {b: 1", "a: 'x", "a: b: c", "a:\n\tb: 1\n", "a: ]", "a: @b", "a: {\"b\" 1}x"}) {
        EXPECT_EQ(refusal_of(text).find("x.yaml:"), 0U) << text;
        expect_contains(refusal_of(text), "syntax error: ");
    }
    expect_contains(refusal_of("a: 1\nb: [1, 2\nc: 3\n"), "x.yaml:3:");
}

TEST(HostileYaml, BytesThatAreNoText) {
    EXPECT_EQ(refusal_of("a: 1\nb: \xFF\n"), "x.yaml:2:4: byte 255 is no UTF-8 text; is this a config file?");
    EXPECT_EQ(refusal_of(std::string("a: \0b", 5)), "x.yaml:1:4: byte 0 is no UTF-8 text; is this a config file?");
    EXPECT_EQ(refusal_of("a: 1\x04\nb: 2\n"), "x.yaml:1:5: byte 4 is no UTF-8 text; is this a config file?");
    for (const char* text :
         {"\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80", "\xF4\x90\x80\x80",
          "\xF5\x80\x80\x80", "\x80", "\xC3", "\xE2\x82", "\xF0\x9F\x98", "\xC3(", "\x7F"}) {
        EXPECT_EQ(refusal_of(text).find("x.yaml:1:1: byte "), 0U) << text;
    }
    for (const char* text : {"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xEF\xBF\xBD", "\xF4\x8F\xBF\xBF"}) {
        EXPECT_NO_THROW(parse_yaml(text, "x.yaml")) << text;
    }
}

TEST(HostileYaml, RandomBytesAreRefusedOrRead) {
    std::mt19937 engine(7);
    for (int round = 0; round < 300; ++round) {
        std::string text(200, ' ');
        const std::string alphabet = "{}[],:-?&*!|>'\"%@`#ab01 \n\t";
        for (char& c : text) c = round % 2 == 0 ? static_cast<char>(engine()) : alphabet[engine() % alphabet.size()];
        try {
            parse_yaml(text, "x.yaml");
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), ErrorCode::config);
            EXPECT_EQ(std::string(e.what()).find("x.yaml"), 0U) << e.what();
        }
    }
}

TEST(HostileYaml, TooManyValues) {
    expect_contains(refusal_of("a: [" + repeated("1,", 30000) + "]"), "more than 20000 values");
}

TEST(HostileReferences, DoublingIsStopped) {
    std::string text = "a0: x\n";
    for (int i = 1; i < 40; ++i) {
        const std::string before = "'@a" + std::to_string(i - 1) + "'";
        text += "a" + std::to_string(i) + ": [" + before + ", " + before + "]\n";
    }
    Node root = parse_yaml(text, "x.yaml");
    Problems problems;
    expect_contains(message_of(ErrorCode::config, [&] { resolve_references(root, problems); }),
                    "references make this config too large");
}

TEST(HostileReferences, LongChainsAreStopped) {
    std::string text = "a0: x\n";
    for (int i = 1; i < 5000; ++i) text += "a" + std::to_string(i) + ": ['@a" + std::to_string(i - 1) + "']\n";
    Node root = parse_yaml(text, "x.yaml");
    Problems problems;
    expect_contains(message_of(ErrorCode::config, [&] { resolve_references(root, problems); }),
                    "references make this config too large");
    text = "a0: x\n";
    for (int i = 1; i < 5000; ++i) text += "a" + std::to_string(i) + ": '@a" + std::to_string(i - 1) + "'\n";
    root = parse_yaml(text, "x.yaml");
    expect_contains(message_of(ErrorCode::config, [&] { resolve_references(root, problems); }),
                    "references make this config too large");
}

TEST_F(HostileConfig, FilesThatAreNone) {
    const auto load = [](const std::filesystem::path& path) {
        return message_of(ErrorCode::io, [&] { load_run_config({path, {}, {}}); });
    };
    expect_contains(load(folder / "absent.yaml"), "absent.yaml': No such file");
    expect_contains(load(folder), "Is a directory");
    write("huge.yaml", std::string((std::size_t{16} << 20) + 1, '#'));
    expect_contains(load(folder / "huge.yaml"), "larger than 16777216 bytes");
}

TEST_F(HostileConfig, TopLevelsThatAreNoMap) {
    const auto load = [&](const std::string& text) {
        write("run.yaml", text);
        return message_of(ErrorCode::config, [&] { load_run_config({file, {}, {}}); });
    };
    EXPECT_EQ(load("- network\n"), file + ":1:1: this file is a list, expected a map of options");
    EXPECT_EQ(load("hello"), file + ":1:1: this file is 'hello', expected a map of options");
    EXPECT_EQ(load(""), file + ":1:1: 'network' is missing: the model: a file, or its map");
    EXPECT_EQ(load("{}"), file + ":1:1: 'network' is missing: the model: a file, or its map");
    EXPECT_EQ(load("network: [a]"), file + ":1:10: 'network' is a list, expected a map");
    expect_contains(load("network: {}"), file + ":1:10: 'network.autoencoder_def' is missing");
    expect_contains(load("network:"), "'network.autoencoder_def' is missing");
    EXPECT_EQ(load("{voldiff: {}, config: [1]}"), file + ":1:23: this file is a list, expected a map of options");
    write("list.yaml", "[1]");
    EXPECT_EQ(load("network: list.yaml"),
              (folder / "list.yaml").string() + ":1:1: this file is a list, expected a map of options");
}

TEST_F(HostileConfig, ExtendsThatLeadNowhere) {
    write("a.yaml", "extends: b.yaml\n");
    write("b.yaml", "extends: a.yaml\n");
    std::filesystem::create_directories(folder / "dir");
    expect_contains(
        message_of(ErrorCode::config,
                   [&] {
                       load_run_config({folder / "a.yaml", {}, {}});
                   }),
        (folder / "b.yaml").string() + ":1:10: 'extends' leads in a circle back to '" + (folder / "a.yaml").string());
    const auto load = [&](ErrorCode code, const std::string& text) {
        write("run.yaml", text);
        return message_of(code, [&] { load_run_config({file, {}, {}}); });
    };
    expect_contains(load(ErrorCode::config, "extends: run.yaml"), file + ":1:10: 'extends' leads in a circle");
    expect_contains(load(ErrorCode::config, "extends: dir/../run.yaml"), "'extends' leads in a circle");
    expect_contains(load(ErrorCode::config, "extends: [a.yaml, b.yaml]"),
                    file + ":1:10: 'extends' is a list, expected the path of one file");
    expect_contains(load(ErrorCode::config, "extends:"), "'extends' is empty, expected the path of one file");
    expect_contains(load(ErrorCode::io, "extends: dir"), file + ":1:10: cannot read");
    expect_contains(load(ErrorCode::io, "extends: dir"), "Is a directory");
    expect_contains(load(ErrorCode::io, "extends: absent.yaml"), file + ":1:10: there is no file 'absent.yaml'; tried");
    expect_contains(load(ErrorCode::io, "network: absent.yaml"), file + ":1:10: there is no file 'absent.yaml'; tried");
    expect_contains(load(ErrorCode::io, "network: dir"), file + ":1:10: cannot read");
    expect_contains(load(ErrorCode::io, "network: /"), file + ":1:10: cannot read");
    for (int i = 0; i < 20; ++i) {
        write("c" + std::to_string(i) + ".yaml", "extends: c" + std::to_string(i + 1) + ".yaml\n");
    }
    expect_contains(load(ErrorCode::config, "extends: c0.yaml"), "'extends' of more than 16 files");
}

TEST_F(HostileConfig, ReferencesThatLeadNowhere) {
    const auto load = [&](const std::string& from, const std::string& to) {
        std::string text = small_network;
        text.replace(text.find(from), from.size(), to);
        const std::string net = write("net.yaml", text);
        write("run.yaml", "network: net.yaml\n");
        const std::string message = message_of(ErrorCode::config, [&] { load_run_config({file, {}, {}}); });
        EXPECT_EQ(message.find(net + ":"), 0U) << message;
        EXPECT_EQ(message.find('\n'), std::string::npos) << "one mistake, one line: " << message;
        return message.substr(net.size());
    };
    EXPECT_EQ(
        load("\"@latent_channels\"", "\"@latent_chanels\""),
        ":9:20: '@latent_chanels' refers to nothing: there is no 'latent_chanels'; did you mean 'latent_channels'?");
    EXPECT_EQ(
        load("monai.networks.schedulers.rectified_flow.RFlowScheduler", "$RFlowScheduler"),
        ":21:13: the expression '$RFlowScheduler' is not supported; only references like '@key' are, so write its "
        "value");
    EXPECT_EQ(load("latent_channels: 4", "latent_channels: '@latent_channels'"),
              ":1:18: references in a circle: 'latent_channels' -> 'latent_channels'");
    EXPECT_EQ(
        load("latent_channels: 4", "latent_channels: $import os"),
        ":1:18: the expression '$import os' is not supported; only references like '@key' are, so write its value");
    EXPECT_EQ(load("num_channels: [4, 8]", "num_channels: '@autoencoder_def'"),
              ":3:3: 'network.diffusion_unet_def.num_channels' is a map, expected a list of integers");
}

TEST_F(HostileConfig, WrongTypesEverywhere) {
    RunConfig defaults;
    for (const OptionRow& row : option_rows(defaults)) {
        if (row.path.find("network.") == 0 || row.type == "map") continue;
        const auto problem = [&](const std::string& value) { return problem_of("", {{row.path, value, "--set"}}); };
        expect_contains(problem("{a: 1}"), "--set: '" + row.path + "' is a map, expected ");
        if (row.type.find("list") == std::string::npos && row.type.find("3 ") == std::string::npos) {
            expect_contains(problem("[1]"), "--set: '" + row.path + "' is a list, expected ");
            expect_contains(problem("null"), "--set: '" + row.path + "' is empty, expected ");
        } else {
            expect_contains(problem("text"), "--set: '" + row.path + "' is 'text', expected a list of ");
            expect_contains(problem("[[1], [2], [3]]"), "--set: '" + row.path + "[0]' is a list, expected ");
        }
        if (row.type == "integer" || row.type == "number" || row.type == "true or false") {
            expect_contains(problem("12abc"), "--set: '" + row.path + "' is '12abc', expected ");
            expect_contains(problem("'1'"), " without quotes");
        }
    }
    for (const char* section : {"weights", "image", "sampling", "decode", "output", "runtime", "mask"}) {
        expect_problem(std::string(section) + ": 5", ":2:" + std::to_string(std::string(section).size() + 3),
                       std::string(": '") + section + "' is 5, expected a map of options");
    }
}

TEST_F(HostileConfig, NumbersThatAreNone) {
    for (const char* number : {".nan", "nan", ".inf", "-.inf", "inf", "1e999", "0x10", "1_0", "--1", "1.2.3", "1,5"}) {
        const std::string text = number;
        expect_contains(problem_of("sampling: {guidance_scale: \"\"}", {{"sampling.guidance_scale", text, "--set"}}),
                        "--set: 'sampling.guidance_scale' is '" + text + "', expected a number of at least 0");
        expect_contains(problem_of("image: {size: [64, " + (text == "1,5" ? "'1,5'" : text) + ", 64]}"),
                        ":2:20: 'image.size[1]' is '" + text + "', expected an integer from 1 to 65536");
    }
}

TEST_F(HostileConfig, NumbersOutOfRange) {
    expect_problem("image: {size: [64, -64, 64]}", ":2:20",
                   ": 'image.size[1]' is -64, expected an integer from 1 to 65536 (voxels, x y z)");
    expect_problem(
        "image: {size: [64, 64, 1000000000000000000000000000000]}", ":2:24",
        ": 'image.size[2]' is 1000000000000000000000000000000, expected an integer from 1 to 65536 (voxels, x y z)");
    expect_problem("image: {size: [64, 64, 1e30]}", ":2:24",
                   ": 'image.size[2]' is 1e30, expected an integer from 1 to 65536 (voxels, x y z)");
    expect_problem("image: {size: [64, 64]}", ":2:15", ": 'image.size' has 2 entries, expected 3 (voxels, x y z)");
    expect_problem("image: {spacing: [0, 1, 1]}", ":2:19",
                   ": 'image.spacing[0]' is 0, expected a number from 0.001 to 1000 (mm, x y z)");
    expect_problem("sampling: {steps: 0}", ":2:19", ": 'sampling.steps' is 0, expected an integer from 1 to 1000");
    expect_problem("sampling: {seed: -1}", ":2:18",
                   ": 'sampling.seed' is -1, expected an integer from 0 to 9223372036854775807");
    expect_problem("sampling: {seed: 9223372036854775808}", ":2:18",
                   ": 'sampling.seed' is 9223372036854775808, expected an integer from 0 to 9223372036854775807");
    expect_problem("decode: {overlap: 1}", ":2:19", ": 'decode.overlap' is 1, expected a number from 0 to 0.99");
    expect_problem("decode: {roi: [0, 1, 1]}", ":2:16",
                   ": 'decode.roi[0]' is 0, expected an integer from 1 to 65536 (latent voxels, x y z)");
    expect_problem("runtime: {threads: -1}", ":2:20", ": 'runtime.threads' is -1, expected an integer from 0 to 4096");
}

TEST_F(HostileConfig, LongAndStrangeTextIsShownShort) {
    const std::string longer = problem_of("? " + repeated("k", 100000) + "\n: 1");
    EXPECT_LT(longer.size(), 300U);
    expect_contains(longer, ":2:3: unknown key 'kkkk");
    const std::string value = problem_of("sampling: {steps: \"" + repeated("\xC3\xA9", 1000) + "\"}");
    expect_contains(value, repeated("\xC3\xA9", 30) + "...', expected an integer");
    const std::string escapes = problem_of("sampling: {steps: \"\\e[31mred\\n\"}");
    expect_contains(escapes, "is ' [31mred ', expected an integer");
    EXPECT_EQ(escapes.find('\x1B'), std::string::npos);
    EXPECT_LT(problem_of("image: {modality: " + repeated("m", 100000) + "}").size(), 800U);
    EXPECT_LT(problem_of("runtime: {device: " + repeated("m", 100000) + "}").size(), 700U);
    EXPECT_LT(problem_of("sampling: {scheduler: {type: " + repeated("m", 100000) + "}}").size(), 800U);
}

TEST_F(HostileConfig, OverridesThatAreNone) {
    EXPECT_EQ(problem_of("", {{"image..size", "1", "--set"}}),
              "--set: 'image..size' is no key path, expected one like image.size");
    expect_contains(problem_of("", {{"image.size", "[1, 2", "--set"}}),
                    "--set: a key is expected to be a plain name, found a list; is a bracket left open?");
    expect_contains(problem_of("", {{"output.name", "\xFF", "--set"}}), "byte 255 is no UTF-8 text");
    expect_contains(problem_of("", {{"output.name", "\xFF", "--name", true}}), "byte 255 is no UTF-8 text");
    expect_contains(problem_of("", {{"sampling.step", "1", "--set"}}),
                    "--set: unknown key 'sampling.step'; did you mean 'sampling.steps'?");
    expect_contains(problem_of("", {{"steps", "1", "--set"}}),
                    "--set: unknown key 'steps'; did you mean 'sampling.steps'?");
    expect_contains(problem_of("", {{"image.size.x", "1", "--set"}}),
                    "--set: 'image.size' is a map, expected a list of 3 integers");
    expect_contains(message_of(ErrorCode::io,
                               [&] {
                                   load_run_config({file, {{"network", "none.yaml", "--network", true}}, {}});
                               }),
                    "--network: there is no file 'none.yaml'; tried");
}

TEST_F(HostileConfig, MaisiFilesOfTheWrongKind) {
    const std::string net = write("net.json", small_network);
    const std::string list = write("list.json", "[1]");
    expect_contains(message_of(ErrorCode::config,
                               [&] {
                                   load_maisi_config({net, list, net});
                               }),
                    list + ":1:1: this file is a list, expected a map of options");
    // All three given in the wrong order: everything that is missing is told at once.
    const std::string message = message_of(ErrorCode::config, [&] { load_maisi_config({net, net, net}); });
    expect_contains(message, net + ": 'model_dir' is missing");
    expect_contains(message, net + ": 'diffusion_unet_inference' is missing");
    const std::string infer =
        write("infer.json", "{\"diffusion_unet_inference\": {\"dim\": [1e30, -1, .nan], \"spacing\": \"1\"}}");
    const std::string numbers = message_of(ErrorCode::config, [&] { load_maisi_config({net, net, infer}); });
    expect_contains(numbers,
                    infer + ":1:39: 'diffusion_unet_inference.dim[0]' is 1e30, expected an integer from 1 to 65536");
    expect_contains(numbers, infer + ":1:45: 'diffusion_unet_inference.dim[1]' is -1, expected");
    expect_contains(numbers, infer + ":1:49: 'diffusion_unet_inference.dim[2]' is '.nan', expected");
    expect_contains(numbers, infer + ":1:67: 'diffusion_unet_inference.spacing' is '1', expected a list of 3 numbers");
}

}  // namespace voldiff
