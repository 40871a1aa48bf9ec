#include "io/volume/image_io.h"

#include "core/text.h"
#include "io/file.h"

#include <itkMetaImageIO.h>
#include <itkMultiThreaderBase.h>
#include <itkNiftiImageIO.h>
#include <itkNrrdImageIO.h>
#include <itkVersion.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <sstream>
#include <utility>

namespace voldiff {

namespace {

struct Format {
    std::string extension;
    std::function<itk::ImageIOBase::Pointer()> make;
};

template <typename ImageIo>
itk::ImageIOBase::Pointer make() {
    return ImageIo::New().GetPointer();
}

const std::vector<Format>& formats() {
    static const std::vector<Format> table = {{".nii.gz", make<itk::NiftiImageIO>},
                                              {".nii", make<itk::NiftiImageIO>},
                                              {".nrrd", make<itk::NrrdImageIO>},
                                              {".mha", make<itk::MetaImageIO>}};
    return table;
}

// x and y point the other way in LPS.
double lps(std::size_t row, double value) { return row < 2 ? -value : value; }

double dot(const Affine& affine, std::size_t a, std::size_t b) {
    double sum = 0;
    for (std::size_t row = 0; row < 3; ++row) sum += affine[row][a] * affine[row][b];
    return sum;
}

void check_orthogonal(const Affine& affine, const std::array<double, 3>& spacing) {
    const bool regular =
        std::all_of(spacing.begin(), spacing.end(), [](double mm) { return std::isfinite(mm) && mm > 0; });
    const bool placed =
        std::all_of(affine.begin(), affine.end(), [](const auto& row) { return std::isfinite(row[3]); });
    if (!placed) throw Error(ErrorCode::io, "the affine's origin is NaN or infinite");
    if (!regular) throw Error(ErrorCode::io, "the affine has an axis of no length");
    for (const auto& [a, b] : {std::pair<std::size_t, std::size_t>{0, 1}, {0, 2}, {1, 2}}) {
        const double cosine = dot(affine, a, b) / (spacing[a] * spacing[b]);
        if (std::abs(cosine) > 1e-4)  // NIfTI's float32 leaves up to 1e-6
            throw Error(ErrorCode::io, "the affine has shear, which image files written through ITK cannot hold");
    }
}

}  // namespace

const std::vector<std::string>& volume_formats() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> extensions;
        for (const Format& format : formats()) extensions.push_back(format.extension);
        return extensions;
    }();
    return names;
}

bool is_volume_format(const std::string& extension) {
    const auto& names = volume_formats();
    return std::find(names.begin(), names.end(), extension) != names.end();
}

void check_volume_format(const std::filesystem::path& path) {
    const std::string kind = extension(path);
    if (is_volume_format(kind)) return;
    throw Error(ErrorCode::config, "'" + path.string() + "' is not named as a volume: expected one of " +
                                       join(volume_formats()) + ", found '" + kind + "'");
}

const std::vector<Element>& elements() {
    using Component = itk::IOComponentEnum;
    static const std::vector<Element> table = {{Component::UCHAR, "uint8", at::kByte, 0, true},
                                               {Component::SHORT, "int16", at::kShort, 0, true},
                                               {Component::INT, "int32", at::kInt, 0, true},
                                               {Component::FLOAT, "float32", at::kFloat, 0, true},
                                               {Component::DOUBLE, "float64", at::kDouble, 0, true},
                                               {Component::CHAR, "int8", at::kChar},
                                               {Component::USHORT, "uint16", at::kShort, 0xFFFF},
                                               {Component::UINT, "uint32", at::kInt, 0xFFFFFFFF},
                                               {Component::LONG, "int64", at::kLong},
                                               {Component::LONGLONG, "int64", at::kLong}};
    return table;
}

itk::ImageIORegion whole_region(const std::array<std::int64_t, 3>& size, std::int64_t channels) {
    itk::ImageIORegion region(channels > 1 ? 4 : 3);
    if (channels > 1) region.SetSize(3, static_cast<itk::SizeValueType>(channels));
    for (unsigned axis = 0; axis < 3; ++axis) {
        region.SetIndex(axis, 0);
        region.SetSize(axis, static_cast<itk::SizeValueType>(size[axis]));
    }
    return region;
}

itk::ImageIOBase::Pointer image_io_for(const std::filesystem::path& path) {
    check_volume_format(path);
    const std::string kind = extension(path);
    const auto is_this = [&](const Format& format) { return format.extension == kind; };
    return std::find_if(formats().begin(), formats().end(), is_this)->make();
}

Affine diagonal_affine(const std::array<double, 3>& spacing) {
    Affine affine{};
    for (std::size_t axis = 0; axis < 3; ++axis) affine[axis][axis] = spacing[axis];
    affine[3][3] = 1;
    return affine;
}

std::array<double, 3> spacing_of(const Affine& affine) {
    return {std::sqrt(dot(affine, 0, 0)), std::sqrt(dot(affine, 1, 1)), std::sqrt(dot(affine, 2, 2))};
}

Affine affine_from(const itk::ImageIOBase& io) {
    Affine affine = diagonal_affine({1, 1, 1});
    for (unsigned axis = 0; axis < 3; ++axis) {
        const std::vector<double> direction = io.GetDirection(axis);
        for (std::size_t row = 0; row < 3; ++row) affine[row][axis] = lps(row, direction[row] * io.GetSpacing(axis));
        affine[axis][3] = lps(axis, io.GetOrigin(axis));
    }
    return affine;
}

void set_geometry(itk::ImageIOBase& io, const Affine& affine) {
    const auto spacing = spacing_of(affine);
    check_orthogonal(affine, spacing);
    for (unsigned axis = 0; axis < 3; ++axis) {
        std::vector<double> direction(io.GetNumberOfDimensions(), 0);
        for (std::size_t row = 0; row < 3; ++row) direction[row] = lps(row, affine[row][axis] / spacing[axis]);
        io.SetSpacing(axis, spacing[axis]);
        io.SetOrigin(axis, lps(axis, affine[axis][3]));
        io.SetDirection(axis, direction);
    }
}

std::string reason_of(const itk::ExceptionObject& exception) {
    std::istringstream description(exception.GetDescription());
    std::string last = "unknown reason";
    for (std::string line; std::getline(description, line);)
        if (line.find_first_not_of(" \t\r") != std::string::npos) last = line;
    // "itk::ERROR: NiftiImageIO(0x5581): the reason"
    const std::size_t object = last.find("): ");
    if (last.compare(0, 5, "itk::") == 0 && object != std::string::npos) return last.substr(object + 3);
    const std::string prefix = "ITK ERROR: ";
    return last.compare(0, prefix.size(), prefix) == 0 ? last.substr(prefix.size()) : last;
}

bool is_nifti(const std::filesystem::path& path) {
    const std::string kind = extension(path);
    return kind == ".nii" || kind == ".nii.gz";
}

bool same_bytes(const at::Tensor& a, const at::Tensor& b) {
    return a.nbytes() == b.nbytes() && std::memcmp(a.data_ptr(), b.data_ptr(), a.nbytes()) == 0;
}

std::string itk_version() { return itk::Version::GetITKVersion(); }

void use_itk_threads(int threads) {
    itk::MultiThreaderBase::SetGlobalMaximumNumberOfThreads(static_cast<itk::ThreadIdType>(threads));
    itk::MultiThreaderBase::SetGlobalDefaultNumberOfThreads(static_cast<itk::ThreadIdType>(threads));
}

}  // namespace voldiff
