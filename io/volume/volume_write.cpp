#include "core/text.h"
#include "io/file.h"
#include "io/volume/image_io.h"
#include "io/volume/nifti_header.h"
#include "io/volume/volume.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

namespace voldiff {

namespace {

const Element& written_element(const std::filesystem::path& file, at::ScalarType type) {
    std::vector<std::string> names;
    for (const Element& element : elements()) {
        if (!element.written) continue;
        if (element.storage == type) return element;
        names.push_back(element.name);
    }
    throw Error(ErrorCode::io, "cannot write '" + file.string() + "': voxels are " + at::toString(type) +
                                   ", expected one of " + join(names));
}

// None of ITK's writers notices a full disk.
bool is_whole(const std::filesystem::path& temporary, const at::Tensor& voxels) {
    if (is_nifti(temporary)) return unpacked_size(temporary).value_or(0) >= voxels.nbytes() + 352;
    try {
        return same_bytes(read_volume(temporary).voxels, voxels);
    } catch (const Error&) {
        return false;
    }
}

std::vector<std::int64_t> reversed_axes(const at::Tensor& x) {
    std::vector<std::int64_t> axes;
    for (std::int64_t axis = x.dim(); axis-- > 0;) axes.push_back(axis);
    return axes;
}

void write_itk(const std::filesystem::path& file, const std::filesystem::path& temporary, const Volume& volume) {
    const at::Tensor buffer = volume.voxels.permute(reversed_axes(volume.voxels)).contiguous();  // x fastest
    const auto axes = static_cast<unsigned>(volume.voxels.dim());
    const itk::ImageIOBase::Pointer io = image_io_for(file);
    io->SetFileName(temporary.string());
    io->SetNumberOfDimensions(axes);
    for (unsigned axis = 0; axis < axes; ++axis)
        io->SetDimensions(axis, static_cast<unsigned>(volume.voxels.size(axis)));
    io->SetPixelType(itk::IOPixelEnum::SCALAR);
    io->SetNumberOfComponents(1);
    io->SetComponentType(written_element(file, volume.voxels.scalar_type()).component);
    io->SetUseCompression(true);
    io->SetIORegion(whole_region({volume.voxels.size(0), volume.voxels.size(1), volume.voxels.size(2)},
                                 axes == 4 ? volume.voxels.size(3) : 1));
    through_itk("write", file, [&] {
        set_geometry(*io, volume.affine);
        io->WriteImageInformation();
        io->Write(buffer.data_ptr());
    });
}

}  // namespace

void write_volume(const std::filesystem::path& file, const Volume& volume) {
    check_volume_format(file);
    written_element(file, volume.voxels.scalar_type());
    const bool shaped = volume.voxels.dim() == 3 || (volume.voxels.dim() == 4 && is_nifti(file));
    if (!shaped || volume.voxels.numel() == 0)
        throw Error(ErrorCode::internal, "cannot write '" + file.string() + "': voxels are not [X, Y, Z]");
    AtomicFile whole(file);
    const at::Tensor voxels = volume.voxels.to(at::kCPU).contiguous();
    write_itk(file, whole.temporary(), {voxels, volume.affine});
    if (!is_whole(whole.temporary(), voxels))
        throw Error(ErrorCode::io, "cannot write '" + file.string() + "': the file is not whole; is the disk full?");
    whole.commit();
}

}  // namespace voldiff
