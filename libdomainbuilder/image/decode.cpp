// SPDX-License-Identifier: Apache-2.0
#include "libdomainbuilder/image/decode.hpp"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "libdomainbuilder/image/boot_abi.hpp"
#include "libdomainbuilder/image/bzimage.hpp"
#include "libdomainbuilder/image/decompress.hpp"
#include "libdomainbuilder/image/file_kind.hpp"
#include "libdomainbuilder/image/note_reader.hpp"

namespace xl::build {

namespace {

using MaybeError = std::optional<Error>;
constexpr std::uint64_t head_size = 4096;
constexpr std::uint64_t trailer_size = sizeof(std::uint32_t);

Error wrong(std::string message,
            std::string hint = "name the vmlinux or the bzImage (vmlinuz) of a kernel") {
  return make_error(ErrorId::kernel_format, std::move(message), std::move(hint));
}

// The payload's last four bytes say what it expands to: gzip's own ISIZE; for the others Linux's
// build appends them.
Error damaged(std::string message) {
  return make_error(ErrorId::kernel_damaged, std::move(message), "copy or build it anew");
}

MaybeError expand(Decoded& decoded, ByteView payload) {
  ImageReport& report = decoded.report;
  const std::string_view format = to_string(report.compression);
  const auto declared = payload.read<std::uint32_t>(payload.size() - trailer_size);
  if (payload.size() < trailer_size || !declared) {
    return damaged(fmt::format("has a {} payload that is truncated", format));
  }
  if (*declared > max_image_size) {
    return wrong(fmt::format("has a {} payload that declares to expand to {} bytes; at most {} are "
                             "allowed",
                             format, *declared, max_image_size),
                 "copy or build it anew");
  }
  auto buffer = ImageBuffer::create(*declared);
  if (!buffer) {
    return std::move(buffer).error();
  }
  const auto stream = report.compression == Compression::gzip
                          ? payload.bytes()
                          : payload.bytes().first(payload.size() - trailer_size);
  if (auto done = decompress(report.compression, stream, (*buffer)->writable()); !done) {
    Error error = std::move(done).error();
    error.message = fmt::format("has a {} payload that {}", format, error.message);
    if (error.id == ErrorId::kernel_damaged) {
      error.hint = "copy or build it anew";
    }
    return error;
  }
  decoded.elf = *std::move(buffer);
  if (!looks_like_elf(ByteView(decoded.elf->bytes()))) {
    decoded.elf.reset();
    return wrong(fmt::format("has a {} payload that holds no ELF file", format));
  }
  return std::nullopt;
}

MaybeError open_bzimage(Decoded& decoded, ByteView file) {
  ImageReport& report = decoded.report;
  report.container = Container::bzimage;
  BzImage image = read_bzimage(file);
  report.boot_protocol = image.protocol;
  report.kernel_version = image.version;
  if (image.fault) {
    return std::move(image.fault);
  }
  report.compression = detect_compression(image.payload.bytes());
  if (report.compression != Compression::none) {
    return expand(decoded, image.payload);
  }
  if (!looks_like_elf(image.payload)) {
    return wrong("has a payload in a format that Linux does not use, so nothing can unpack it",
                 "copy or build it anew");
  }
  auto buffer = ImageBuffer::create(image.payload.size());
  if (!buffer) {
    return std::move(buffer).error();
  }
  std::copy(image.payload.bytes().begin(), image.payload.bytes().end(),
            (*buffer)->writable().begin());
  decoded.elf = *std::move(buffer);
  return std::nullopt;
}

MaybeError open_gzip(Decoded& decoded, ByteView file) {
  std::array<std::byte, 512> head{};
  const std::size_t got = peek_gzip(file.bytes(), head);
  const ByteView content(std::span<const std::byte>(head).first(got));
  if (!looks_like_elf(content)) {
    return got == 0 ? damaged("is a damaged gzip file, not a kernel")
                    : wrong("is a gzip file whose content " + describe_non_kernel(content));
  }
  decoded.report.container = Container::compressed_elf;
  decoded.report.compression = Compression::gzip;
  return expand(decoded, file);
}

MaybeError open_container(Decoded& decoded, const std::shared_ptr<ImageBuffer>& file) {
  const ByteView view(file->bytes());
  if (looks_like_elf(view)) {
    decoded.report.container = Container::elf;
    decoded.elf = file;
    return std::nullopt;
  }
  if (looks_like_bzimage(view)) {
    return open_bzimage(decoded, view);
  }
  if (detect_compression(view.bytes()) == Compression::gzip) {
    return open_gzip(decoded, view);
  }
  return wrong(describe_non_kernel(view));
}

Machine classify(std::uint16_t machine) {
  switch (machine) {
    case EM_386: return Machine::i386;
    case EM_X86_64: return Machine::x86_64;
    default: return Machine::other;
  }
}

void report_headers(ImageReport& report, const ElfFile& elf, std::uint64_t size) {
  report.image_size = Bytes(size);
  report.elf_class = elf.elf_class;
  report.machine = classify(elf.machine);
  report.machine_name = machine_name(elf.machine);
  report.elf_type = elf_type_name(elf.type);
  report.entry = elf.entry;
  for (const ElfSegment& load : elf.loads) {
    report.segments.push_back({GuestPhys(load.physical_address), load.virtual_address, load.offset,
                               Bytes(load.file_size), Bytes(load.memory_size), load.flags});
  }
}

// PT_NOTE first; sections only when that has nothing of Xen's.
MaybeError report_notes(ImageReport& report, const ElfFile& elf, ByteView image) {
  for (const auto* tables : {&elf.notes, &elf.note_sections}) {
    for (const ElfSegment& table : *tables) {
      NoteTable found = read_notes(*image.sub(table.offset, table.file_size), table.alignment);
      std::move(found.notes.begin(), found.notes.end(), std::back_inserter(report.notes));
      if (!found.fault.empty()) {
        return make_error(ErrorId::kernel_damaged, "has malformed ELF notes: " + found.fault,
                          "build the kernel anew");
      }
    }
    if (!report.notes.empty()) {
      break;
    }
  }
  report.features = decode_features(report.notes);
  report.boot_abis = find_boot_abis(report);
  return std::nullopt;
}

MaybeError check_type(const ImageReport& report, const ElfFile& elf) {
  if (report.machine == Machine::other) {
    return wrong(
        fmt::format("is an ELF file for {}; only x86 kernels run here", report.machine_name),
        "use a kernel for x86");
  }
  if (report.machine == Machine::i386 && report.elf_class == 64) {
    return wrong("is a 64-bit ELF file for i386, which cannot be");
  }
  if (elf.type == ET_REL) {
    return wrong("is a relocatable object (a kernel module?), not a kernel");
  }
  if (elf.type == ET_CORE) {
    return wrong("is a core dump, not a kernel");
  }
  return std::nullopt;
}

MaybeError sort_loads(std::vector<ElfSegment>& loads) {
  if (loads.empty()) {
    return wrong("has no LOAD segment, so there is nothing to load");
  }
  std::stable_sort(loads.begin(), loads.end(), [](const ElfSegment& a, const ElfSegment& b) {
    return a.physical_address < b.physical_address;
  });
  for (std::size_t i = 1; i < loads.size(); ++i) {
    const ElfSegment& before = loads[i - 1];
    const std::uint64_t end = before.physical_address + before.memory_size;
    if (end > loads[i].physical_address) {
      return damaged(fmt::format("has overlapping segments: {:#x}-{:#x} and {:#x}-{:#x}",
                                 before.physical_address, end, loads[i].physical_address,
                                 loads[i].physical_address + loads[i].memory_size));
    }
  }
  return std::nullopt;
}

// Everything that can be said is put into the report, also after the first fault, which is
// returned.
MaybeError open_elf(Decoded& decoded) {
  const ByteView image(decoded.elf->bytes());
  ElfFile elf = read_elf(image);
  report_headers(decoded.report, elf, image.size());
  MaybeError notes = report_notes(decoded.report, elf, image);
  decoded.loads = std::move(elf.loads);
  MaybeError type = elf.elf_class == 0 ? std::nullopt : check_type(decoded.report, elf);
  for (MaybeError* error : {&type, &elf.fault, &notes}) {
    if (*error) {
      return std::move(*error);
    }
  }
  if (MaybeError missing = why_not_pvh(decoded.report); missing) {
    return missing;
  }
  return sort_loads(decoded.loads);
}

// By its first bytes: worth reading whole.
bool may_be_kernel(ByteView head) {
  return looks_like_elf(head) || looks_like_bzimage(head) ||
         detect_compression(head.bytes()) == Compression::gzip;
}

}  // namespace

Result<Decoded> decode_file(const OpenFile& file) {
  XL_TRY_ASSIGN(auto head, read_start(file, head_size));
  if (!may_be_kernel(ByteView(head->bytes()))) {
    Decoded decoded = decode_image(file.path, std::move(head));
    decoded.report.file_size = Bytes(file.identity.size);
    return decoded;
  }
  if (file.identity.size > max_file_size) {
    return fail(ErrorId::kernel_too_large,
                fmt::format("'{}' is {} bytes long, more than a kernel can be ({} bytes)",
                            file.path, file.identity.size, max_file_size),
                "name the vmlinux or the bzImage (vmlinuz) of a kernel");
  }
  XL_TRY_ASSIGN(auto whole, read_start(file, max_file_size));
  return decode_image(file.path, std::move(whole));
}

Decoded decode_image(const std::string& path, std::shared_ptr<ImageBuffer> file) {
  Decoded decoded;
  decoded.report.path = path;
  decoded.report.file_size = Bytes(file->bytes().size());
  decoded.fault = open_container(decoded, file);
  if (!decoded.fault) {
    decoded.fault = open_elf(decoded);
  }
  if (decoded.fault) {
    decoded.fault->message = fmt::format("'{}' {}", path, decoded.fault->message);
    decoded.report.problems.push_back(describe(*decoded.fault));
  }
  return decoded;
}

}  // namespace xl::build
