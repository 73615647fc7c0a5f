// SPDX-License-Identifier: Apache-2.0
#include "libdomainbuilder/image/elf_file.hpp"

#include <elf.h>
#include <fmt/format.h>

#include <array>

namespace xl::build {

namespace {

// Enough for every kernel seen; a table that needs more is a lie.
constexpr unsigned max_program_headers = 256;
constexpr unsigned max_sections = 16384;

struct Elf32 {
  using Header = Elf32_Ehdr;
  using Program = Elf32_Phdr;
  using Section = Elf32_Shdr;
};
struct Elf64 {
  using Header = Elf64_Ehdr;
  using Program = Elf64_Phdr;
  using Section = Elf64_Shdr;
};

Error wrong(std::string message) {
  return make_error(ErrorId::kernel_damaged, std::move(message), "copy or build it anew");
}

// Why this segment cannot be; empty if it can.
std::string check(const ElfSegment& segment, unsigned index, ByteView file) {
  if (!file.contains(segment.offset, segment.file_size)) {
    return fmt::format(
        "is truncated: its program header {} wants {:#x} bytes from offset {:#x}, the file has "
        "{:#x}",
        index, segment.file_size, segment.offset, file.size());
  }
  if (segment.type != PT_LOAD) {
    return {};
  }
  if (segment.file_size > segment.memory_size) {
    return fmt::format(
        "has a LOAD segment (program header {}) that is larger in the file ({:#x} "
        "bytes) than in memory ({:#x})",
        index, segment.file_size, segment.memory_size);
  }
  std::uint64_t end = 0;
  if (__builtin_add_overflow(segment.physical_address, segment.memory_size, &end)) {
    return fmt::format(
        "has a LOAD segment (program header {}) of {:#x} bytes at {:#x}: its end "
        "does not fit into 64 bits",
        index, segment.memory_size, segment.physical_address);
  }
  return {};
}

template <typename Class>
std::optional<Error> read_program_headers(ByteView file, const typename Class::Header& header,
                                          ElfFile& elf) {
  using Program = typename Class::Program;
  if (header.e_phnum == 0) {
    return wrong("has no program headers, so there is nothing to load");
  }
  if (header.e_phentsize != sizeof(Program) || header.e_phnum > max_program_headers) {
    return wrong(fmt::format("has {} program headers of {} bytes, which cannot be", header.e_phnum,
                             header.e_phentsize));
  }
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    std::uint64_t at = 0;
    std::optional<Program> program;
    if (!__builtin_add_overflow(std::uint64_t{header.e_phoff}, i * sizeof(Program), &at)) {
      program = file.read<Program>(at);
    }
    if (!program) {
      return wrong(fmt::format("is truncated: its program header {} lies outside the file", i));
    }
    const ElfSegment segment{program->p_type,  program->p_flags, program->p_offset,
                             program->p_vaddr, program->p_paddr, program->p_filesz,
                             program->p_memsz, program->p_align};
    if (segment.type != PT_LOAD && segment.type != PT_NOTE) {
      continue;
    }
    if (std::string why = check(segment, i, file); !why.empty()) {
      return wrong(std::move(why));
    }
    if (segment.type == PT_NOTE) {
      elf.notes.push_back(segment);
    } else if (segment.memory_size != 0) {
      elf.loads.push_back(segment);
    }
  }
  return std::nullopt;
}

// Sections are only a second place to look for notes: what is wrong with their table is no fault of
// the image.
template <typename Class>
void read_note_sections(ByteView file, const typename Class::Header& header, ElfFile& elf) {
  using Section = typename Class::Section;
  if (header.e_shentsize != sizeof(Section) || header.e_shnum > max_sections) {
    return;
  }
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    std::uint64_t at = 0;
    if (__builtin_add_overflow(std::uint64_t{header.e_shoff}, i * sizeof(Section), &at)) {
      return;
    }
    const auto section = file.read<Section>(at);
    if (!section) {
      return;
    }
    if (section->sh_type == SHT_NOTE && file.contains(section->sh_offset, section->sh_size)) {
      elf.note_sections.push_back({PT_NOTE, 0, section->sh_offset, section->sh_addr, 0,
                                   section->sh_size, section->sh_size, section->sh_addralign});
    }
  }
}

template <typename Class>
void read_class(ByteView file, ElfFile& elf) {
  const auto header = file.read<typename Class::Header>(0);
  if (!header) {
    elf.elf_class = 0;  // nothing of it can be said
    elf.fault = wrong("is truncated within its ELF header");
    return;
  }
  elf.type = header->e_type;
  elf.machine = header->e_machine;
  elf.entry = header->e_entry;
  elf.fault = read_program_headers<Class>(file, *header, elf);
  read_note_sections<Class>(file, *header, elf);
}

}  // namespace

bool looks_like_elf(ByteView file) {
  return file.has(0, {ELFMAG, SELFMAG});
}

ElfFile read_elf(ByteView file) {
  ElfFile elf;
  const auto identity = file.read<std::array<std::uint8_t, EI_NIDENT>>(0);
  if (!identity) {
    elf.fault = wrong("is truncated within its ELF header");
    return elf;
  }
  if ((*identity)[EI_DATA] != ELFDATA2LSB) {
    elf.fault =
        make_error(ErrorId::kernel_format, "is a big-endian ELF file, which no x86 machine runs",
                   "use a kernel for x86");
    return elf;
  }
  switch ((*identity)[EI_CLASS]) {
    case ELFCLASS32:
      elf.elf_class = 32;
      read_class<Elf32>(file, elf);
      break;
    case ELFCLASS64:
      elf.elf_class = 64;
      read_class<Elf64>(file, elf);
      break;
    default:
      elf.fault = make_error(ErrorId::kernel_format, "has an ELF header of no known class",
                             "copy or build it anew");
  }
  return elf;
}

std::string machine_name(std::uint16_t machine) {
  switch (machine) {
    case EM_386: return "i386";
    case EM_X86_64: return "x86-64";
    case EM_AARCH64: return "aarch64";
    case EM_ARM: return "arm";
    case EM_RISCV: return "riscv";
    case EM_PPC64: return "ppc64";
    case EM_S390: return "s390";
    default: return fmt::format("machine {}", machine);
  }
}

std::string elf_type_name(std::uint16_t type) {
  switch (type) {
    case ET_NONE: return "none";
    case ET_REL: return "relocatable";
    case ET_EXEC: return "executable";
    case ET_DYN: return "shared object";
    case ET_CORE: return "core";
    default: return fmt::format("type {:#x}", type);
  }
}

}  // namespace xl::build
