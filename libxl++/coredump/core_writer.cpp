// SPDX-License-Identifier: Apache-2.0
#include "libxl++/coredump/core_writer.hpp"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "libxl++/coredump/core_notes.hpp"

namespace xl::coredump {
namespace {

constexpr Pages chunk(1024);                // read and written at once
constexpr std::size_t flush_at = 64 << 10;  // bytes of headers kept before they are written

using namespace std::string_view_literals;
constexpr std::string_view names =
    "\0.shstrtab\0.note.Xen\0.xen_prstatus\0.xen_pages\0.xen_pfn\0"sv;
constexpr std::uint16_t section_count = 6;

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

bool is_zero(std::span<const std::byte> page) {
  return page[0] == std::byte{0} && std::memcmp(page.data(), page.data() + 1, page.size() - 1) == 0;
}

// Small pieces on their way to the output.
class Emitter {
 public:
  explicit Emitter(Output& out) : out_(out) {}
  template <typename T>
  requires(std::is_trivially_copyable_v<T> &&
           !std::is_convertible_v<T, std::string_view>) Result<void> put(const T& value) {
    return put(std::string_view(reinterpret_cast<const char*>(&value), sizeof value));
  }
  Result<void> put(std::string_view bytes) {
    waiting_ += bytes;
    return waiting_.size() < flush_at ? Result<void>() : flush();
  }
  Result<void> flush() {
    XL_TRY(out_.write(std::as_bytes(std::span(waiting_))));
    waiting_.clear();
    return {};
  }

 private:
  Output& out_;
  std::string waiting_;
};

// The file in order: ELF header, program headers, notes for PT_NOTE, .note.Xen, .xen_prstatus,
// padding, .xen_pages, .xen_pfn, .shstrtab, section headers.
class CoreWriter {
 public:
  CoreWriter(const CoreInfo& info, Output& out)
      : info_(info),
        out_(out),
        status_notes_(status_notes(info)),
        xen_notes_(xen_notes(info)),
        contexts_(guest_contexts(info)),
        program_headers_(info.extents.size() + 1),
        pages_(total_pages(info)) {
    at_status_ = sizeof(Elf64_Ehdr) + program_headers_ * sizeof(Elf64_Phdr);
    at_notes_ = at_status_ + status_notes_.size();
    at_contexts_ = round_up(at_notes_ + xen_notes_.size(), alignof(std::uint64_t));
    at_pages_ = round_up(at_contexts_ + contexts_.size(), page_size);
    at_pfns_ = at_pages_ + to_bytes(pages_).count();
    at_names_ = at_pfns_ + pages_.count() * sizeof(std::uint64_t);
    at_sections_ = round_up(at_names_ + names.size(), alignof(Elf64_Shdr));
  }

  Result<void> write_head() {
    XL_TRY(emitter_.put(elf_header()));
    XL_TRY(write_program_headers());
    XL_TRY(emitter_.put(status_notes_));
    XL_TRY(emitter_.put(xen_notes_));
    XL_TRY(emitter_.put(std::string(at_contexts_ - at_notes_ - xen_notes_.size(), '\0')));
    XL_TRY(emitter_.put(contexts_));
    XL_TRY(emitter_.put(std::string(at_pages_ - at_contexts_ - contexts_.size(), '\0')));
    return emitter_.flush();
  }
  Result<void> write_pages(const ReadFrames& read, const Progress& progress,
                           const std::stop_token& cancel);
  Result<void> write_tail() {
    for (const hv::Extent& extent : info_.extents) {
      for (std::uint64_t i = 0; i < extent.count.count(); ++i) {
        XL_TRY(emitter_.put(extent.first.value() + i));
      }
    }
    XL_TRY(emitter_.put(names));
    XL_TRY(emitter_.put(std::string(at_sections_ - at_names_ - names.size(), '\0')));
    XL_TRY(write_section_headers());
    return emitter_.flush();
  }

 private:
  Elf64_Ehdr elf_header() const;
  Result<void> write_program_headers();
  Result<void> write_section_headers();
  Result<void> write_chunk(std::span<const std::byte> bytes);

  const CoreInfo& info_;
  Output& out_;
  Emitter emitter_{out_};
  const std::string status_notes_, xen_notes_, contexts_;
  const std::uint64_t program_headers_;
  const Pages pages_;
  std::uint64_t at_status_, at_notes_, at_contexts_, at_pages_, at_pfns_, at_names_, at_sections_;
};

Elf64_Ehdr CoreWriter::elf_header() const {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_CORE;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_phoff = sizeof header;
  header.e_shoff = at_sections_;
  header.e_ehsize = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  // Beyond what fits, section 0 has the number.
  header.e_phnum = static_cast<std::uint16_t>(std::min<std::uint64_t>(program_headers_, PN_XNUM));
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = section_count;
  header.e_shstrndx = 1;
  return header;
}

Result<void> CoreWriter::write_program_headers() {
  Elf64_Phdr note{};
  note.p_type = PT_NOTE;
  note.p_offset = at_status_;
  note.p_filesz = status_notes_.size();
  note.p_align = 4;
  XL_TRY(emitter_.put(note));
  std::uint64_t offset = at_pages_;
  for (const hv::Extent& extent : info_.extents) {
    Elf64_Phdr load{};
    load.p_type = PT_LOAD;
    load.p_flags = PF_R | PF_W | PF_X;
    load.p_offset = offset;
    load.p_vaddr = load.p_paddr = to_phys(extent.first).value();
    load.p_filesz = load.p_memsz = to_bytes(extent.count).count();
    load.p_align = page_size;
    offset += load.p_filesz;
    XL_TRY(emitter_.put(load));
  }
  return {};
}

Result<void> CoreWriter::write_section_headers() {
  const auto section = [](std::string_view name, std::uint32_t type, std::uint64_t offset,
                          std::uint64_t size, std::uint64_t entry) {
    Elf64_Shdr header{};
    header.sh_name = static_cast<std::uint32_t>(names.find(std::string(name) + '\0'));
    header.sh_type = type;
    header.sh_offset = offset;
    header.sh_size = size;
    header.sh_entsize = entry;
    header.sh_addralign = type == SHT_PROGBITS ? (entry == page_size ? page_size : 8) : 1;
    return header;
  };
  Elf64_Shdr first{};
  first.sh_info = program_headers_ < PN_XNUM ? 0 : static_cast<std::uint32_t>(program_headers_);
  XL_TRY(emitter_.put(first));
  XL_TRY(emitter_.put(section(".shstrtab", SHT_STRTAB, at_names_, names.size(), 0)));
  XL_TRY(emitter_.put(section(".note.Xen", SHT_NOTE, at_notes_, xen_notes_.size(), 0)));
  XL_TRY(emitter_.put(section(".xen_prstatus", SHT_PROGBITS, at_contexts_, contexts_.size(),
                              contexts_.size() / std::max<std::size_t>(info_.vcpus.size(), 1))));
  XL_TRY(emitter_.put(
      section(".xen_pages", SHT_PROGBITS, at_pages_, to_bytes(pages_).count(), page_size)));
  return emitter_.put(section(".xen_pfn", SHT_PROGBITS, at_pfns_,
                              pages_.count() * sizeof(std::uint64_t), sizeof(std::uint64_t)));
}

Result<void> CoreWriter::write_chunk(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const bool zero = is_zero(bytes.first(page_size));
    std::size_t size = page_size;
    while (size < bytes.size() && is_zero(bytes.subspan(size, page_size)) == zero) {
      size += page_size;
    }
    XL_TRY(zero ? out_.zeros(size) : out_.write(bytes.first(size)));
    bytes = bytes.subspan(size);
  }
  return {};
}

Result<void> CoreWriter::write_pages(const ReadFrames& read, const Progress& progress,
                                     const std::stop_token& cancel) {
  std::vector<std::byte> buffer(static_cast<std::size_t>(to_bytes(chunk).count()));
  Pages done;
  for (const hv::Extent& extent : info_.extents) {
    for (Pages at; at < extent.count;) {
      if (cancel.stop_requested()) {
        return fail(ErrorId::cancelled, "cancelled");
      }
      const hv::Extent part{extent.first + at, std::min(chunk, extent.count - at)};
      const auto bytes =
          std::span(buffer).first(static_cast<std::size_t>(to_bytes(part.count).count()));
      std::fill(bytes.begin(), bytes.end(), std::byte{0});
      XL_TRY(read(part, bytes));
      XL_TRY(write_chunk(bytes));
      at += part.count;
      done += part.count;
      if (progress) {
        progress(done, pages_);
      }
    }
  }
  return {};
}

}  // namespace

Result<void> write_core(const CoreInfo& info, const ReadFrames& read, Output& out,
                        const Progress& progress, const std::stop_token& cancel) {
  CoreWriter writer(info, out);
  XL_TRY(writer.write_head());
  XL_TRY(writer.write_pages(read, progress, cancel));
  XL_TRY(writer.write_tail());
  return out.finish();
}

}  // namespace xl::coredump
