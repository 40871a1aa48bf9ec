// What reading and writing through ITK share. Internal to io/volume: the only header that shows ITK.
#pragma once

#include "core/error.h"
#include "io/volume/volume.h"

#include <ATen/core/ScalarType.h>
#include <itkImageIOBase.h>

#include <cstdint>
#include <new>

namespace voldiff {

// ITK's name of an element, numpy's, the tensor that holds its bytes, and the mask that makes it unsigned again.
struct Element {
    itk::IOComponentEnum component;
    std::string name;
    at::ScalarType storage;
    std::int64_t unsigned_mask = 0;  // 0: the storage is the type itself
    bool written = false;
};

const std::vector<Element>& elements();

// The reader and writer of the path's extension, made by name, so that nothing depends on ITK's registry of formats.
// Throws Error(config) for an unknown extension.
itk::ImageIOBase::Pointer image_io_for(const std::filesystem::path& path);

// With a fourth axis for more than one channel.
itk::ImageIORegion whole_region(const std::array<std::int64_t, 3>& size, std::int64_t channels = 1);

Affine affine_from(const itk::ImageIOBase& io);
// Throws Error(io) for an affine that is singular or has shear.
void set_geometry(itk::ImageIOBase& io, const Affine& affine);

// The reason within ITK's long message, on one line.
std::string reason_of(const itk::ExceptionObject& exception);

bool is_nifti(const std::filesystem::path& path);

// Alike to the bit, so NaN equals itself; for contiguous tensors of one shape and type.
bool same_bytes(const at::Tensor& a, const at::Tensor& b);

// Calls `action`, turning ITK's exceptions into Error(io) that says what could not be done with which file.
template <typename Action>
void through_itk(const std::string& what, const std::filesystem::path& path, Action action) {
    try {
        action();
    } catch (const itk::ExceptionObject& exception) {
        throw Error(ErrorCode::io, "cannot " + what + " '" + path.string() + "': " + reason_of(exception));
    } catch (const std::bad_alloc&) {
        throw Error(ErrorCode::memory, "cannot " + what + " '" + path.string() + "': no memory for it");
    }
}

}  // namespace voldiff
