// Which way of decoding fits the memory.
#pragma once

#include "core/decode/decode.h"

namespace voldiff {

struct DecodePrediction {
    double bytes = 0;  // that decoding adds at its peak
    double work = 0;   // to be compared with others
};

// What decode_latent needs with a method and a mode that are not `auto`.
DecodePrediction predict_decode(const Autoencoder& autoencoder, const Extents& latent, const DecodeOptions& options);

struct DecodeChoice {
    DecodeOptions options;  // with method and mode chosen
    DecodePrediction prediction;
    std::string reason;  // for people: "min (1.2 GB predicted; store would take 3.1 GB of 2.0 GB)"
};

// The fastest mode of the method that needs at most `available` bytes. `auto` is the whole latent, also where the
// reference would blend windows; only where no mode of that fits it is sliding_window, which gives a slightly different
// image. Throws Error(memory) where nothing fits, Error(config) for a mode that the autoencoder does not have.
DecodeChoice choose_decode(const DecodeOptions& options, const Autoencoder& autoencoder, const Extents& latent,
                           double available);

}  // namespace voldiff
