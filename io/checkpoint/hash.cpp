#include "io/checkpoint/hash.h"

#include "core/error.h"
#include "io/checkpoint/mapped_file.h"

#include <openssl/evp.h>

#include <array>

namespace voldiff {

std::string sha256_of_bytes(std::string_view bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
        throw Error(ErrorCode::internal, "OpenSSL offers no SHA-256");
    }
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (unsigned int i = 0; i < size; ++i) {
        text += kDigits[digest.at(i) >> 4U];
        text += kDigits[digest.at(i) & 15U];
    }
    return text;
}

std::string sha256_of_file(const std::filesystem::path& path) {
    try {
        return sha256_of_bytes(map_file(path).bytes);
    } catch (const Error& error) {
        throw error.within(path.string());
    }
}

const std::string& FileHashes::of(const std::filesystem::path& path) {
    const auto found = known_.find(path);
    return found != known_.end() ? found->second : known_.emplace(path, sha256_of_file(path)).first->second;
}

}  // namespace voldiff
