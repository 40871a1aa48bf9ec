#include "io/volume/preview.h"

#include "io/file.h"
#include "io/volume/image_io.h"
#include "io/volume/orientation.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/zeros.h>
#include <itkPNGImageIO.h>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace voldiff {

namespace {

constexpr double fewest_rows = 256;
constexpr double most_rows = 1024;
constexpr std::int64_t gap = 8;  // pixels

// A slice as it is looked at, [rows, columns], and mm between its rows and columns.
struct Plane {
    at::Tensor values;
    double row_mm;
    double column_mm;
};

// Of a volume in RAS order: each axis runs away from where the picture starts, top and left.
Plane plane(const Volume& volume, std::int64_t across, std::int64_t row_axis, std::int64_t column_axis) {
    const auto spacing = spacing_of(volume.affine);
    const at::Tensor slice = volume.voxels.select(across, volume.voxels.size(across) / 2);  // the lower axis is first
    return {slice.t().flip({0, 1}), spacing[static_cast<std::size_t>(row_axis)],
            spacing[static_cast<std::size_t>(column_axis)]};
}

double height_mm(const Plane& plane) { return static_cast<double>(plane.values.size(0)) * plane.row_mm; }

at::Tensor to_grey(const at::Tensor& values, const Window& window) {
    const double black = window.centre - window.width / 2;
    const at::Tensor scaled = (values.to(at::kDouble) - black) * 255 / window.width;
    return scaled.nan_to_num(0, 255, 0).clamp(0, 255);
}

std::int64_t pixels(std::int64_t count, double mm, double pixel_mm) {
    return std::max<std::int64_t>(1, std::llround(static_cast<double>(count) * mm / pixel_mm));
}

// [rows, columns] at `pixel_mm`
at::Tensor resample(const Plane& plane, double pixel_mm, const Window& window) {
    const at::Tensor grey = to_grey(plane.values, window).unsqueeze(0).unsqueeze(0);  // [1, 1, rows, columns]
    const std::int64_t rows = pixels(grey.size(2), plane.row_mm, pixel_mm);
    const std::int64_t columns = pixels(grey.size(3), plane.column_mm, pixel_mm);
    return at::upsample_bilinear2d(grey, {rows, columns}, false).squeeze(0).squeeze(0).round().to(at::kByte);
}

// Pictures [rows, columns] or [rows, columns, 3].
at::Tensor side_by_side(const std::vector<at::Tensor>& pictures) {
    std::int64_t rows = 0;
    std::int64_t columns = -gap;
    for (const at::Tensor& picture : pictures) {
        rows = std::max(rows, picture.size(0));
        columns += picture.size(1) + gap;
    }
    std::vector<std::int64_t> shape = pictures.front().sizes().vec();
    shape[0] = rows;
    shape[1] = columns;
    at::Tensor sheet = at::zeros(shape, at::kByte);
    std::int64_t left = 0;
    for (const at::Tensor& picture : pictures) {
        const std::int64_t top = (rows - picture.size(0)) / 2;
        sheet.narrow(0, top, picture.size(0)).narrow(1, left, picture.size(1)).copy_(picture);
        left += picture.size(1) + gap;
    }
    return sheet;
}

at::Tensor grey_as_colour(const at::Tensor& grey) { return grey.unsqueeze(2).expand({-1, -1, 3}); }

// Of grey 0 to 255, where 128 is no difference: blue, white, red.
at::Tensor difference_as_colour(const at::Tensor& grey) {
    const at::Tensor share = ((grey.to(at::kDouble) - 128) / 127).clamp(-1, 1);
    const at::Tensor red = 1 + share.clamp_max(0);
    const at::Tensor blue = 1 - share.clamp_min(0);
    return at::stack({red, 1 - share.abs(), blue}, 2).mul(255).round().to(at::kByte);
}

// Axial, coronal and sagittal.
std::vector<Plane> planes_of(const Volume& volume) {
    const Volume ras = to_ras(volume);
    return {plane(ras, 2, 1, 0), plane(ras, 1, 2, 0), plane(ras, 0, 2, 1)};
}

// b - a
std::vector<Plane> difference(const std::vector<Plane>& a, const std::vector<Plane>& b) {
    std::vector<Plane> planes = a;
    for (std::size_t i = 0; i < planes.size(); ++i)
        planes[i].values = b[i].values.to(at::kFloat) - a[i].values.to(at::kFloat);
    return planes;
}

using Colouring = at::Tensor (*)(const at::Tensor& grey);

at::Tensor render(const std::vector<Plane>& planes, const Window& window, Colouring colouring) {
    double tallest = 0;
    double finest = planes.front().row_mm;
    for (const Plane& each : planes) {
        tallest = std::max(tallest, height_mm(each));
        finest = std::min({finest, each.row_mm, each.column_mm});
    }
    const double pixel_mm = std::clamp(finest, tallest / most_rows, tallest / fewest_rows);
    std::vector<at::Tensor> pictures;
    for (const Plane& each : planes) pictures.push_back(colouring(resample(each, pixel_mm, window)));
    return side_by_side(pictures);
}

// A file in memory, with a path that others can open.
class MemoryFile {
  public:
    MemoryFile() : descriptor_(::memfd_create("preview", MFD_CLOEXEC)) {
        if (descriptor_ < 0) throw Error(ErrorCode::memory, "no memory for the preview");
    }
    ~MemoryFile() { ::close(descriptor_); }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

  private:
    int descriptor_;
};

void write_png(const std::filesystem::path& file, const at::Tensor& picture) {
    const auto io = itk::PNGImageIO::New();
    io->SetFileName(file.string());
    io->SetNumberOfDimensions(2);
    itk::ImageIORegion region(2);
    for (unsigned axis = 0; axis < 2; ++axis) {
        const auto size = static_cast<unsigned>(picture.size(1 - static_cast<std::int64_t>(axis)));
        io->SetDimensions(axis, size);
        region.SetSize(axis, size);
    }
    const bool colour = picture.dim() == 3;
    io->SetPixelType(colour ? itk::IOPixelEnum::RGB : itk::IOPixelEnum::SCALAR);
    io->SetNumberOfComponents(colour ? 3 : 1);
    io->SetComponentType(itk::IOComponentEnum::UCHAR);
    io->SetIORegion(region);
    io->WriteImageInformation();
    io->Write(picture.data_ptr());
}

void save_png(const std::filesystem::path& path, const at::Tensor& picture) {
    if (extension(path) != ".png")
        throw Error(ErrorCode::config, "a preview is a .png file, found '" + path.string() + "'");
    const MemoryFile png;  // ITK's writer corrupts the heap when a disk is full
    through_itk("write", path, [&] { write_png(png.path(), picture); });
    write_text(path, read_text(png.path()));
}

}  // namespace

Window percentile_window(const at::Tensor& voxels) {
    const at::Tensor values = voxels.to(at::kFloat).flatten();
    const at::Tensor kept = std::get<0>(values.masked_select(at::isfinite(values).logical_and(values != 0)).sort());
    if (kept.numel() == 0) return {0, 1};
    const auto at_share = [&](double share) {
        return kept[std::llround(share * static_cast<double>(kept.numel() - 1))].item<double>();
    };
    const double low = at_share(0.01);
    const double high = at_share(0.99);
    return {(low + high) / 2, high > low ? high - low : 1};
}

at::Tensor render_preview(const Volume& volume, const Window& window) {
    return render(planes_of(volume), window, [](const at::Tensor& grey) { return grey; });
}

at::Tensor render_comparison(const Volume& a, const Volume& b, const Window& window, double most_difference) {
    const std::vector<Plane> planes_a = planes_of(a);
    const std::vector<Plane> planes_b = planes_of(b);
    const at::Tensor first = render(planes_a, window, grey_as_colour);
    const at::Tensor second = render(planes_b, window, grey_as_colour);
    const at::Tensor third = render(difference(planes_a, planes_b), {0, 2 * most_difference}, difference_as_colour);
    const at::Tensor between = at::zeros({gap, first.size(1), 3}, at::kByte);
    return at::cat({first, between, second, between, third});
}

void write_preview(const std::filesystem::path& path, const Volume& volume, const Window& window) {
    save_png(path, render_preview(volume, window));
}

void write_comparison(const std::filesystem::path& path, const Volume& a, const Volume& b, const Window& window,
                      double most_difference) {
    save_png(path, render_comparison(a, b, window, most_difference));
}

}  // namespace voldiff
