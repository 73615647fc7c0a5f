// SPDX-License-Identifier: Apache-2.0
#include "libdomainbuilder/image/elf_note.hpp"

#include <fmt/format.h>
#include <xen/elfnote.h>
#include <xen/features.h>

#include <algorithm>
#include <array>

#include "libdomainbuilder/image/note_reader.hpp"

namespace xl::build {

namespace {

enum class Form : std::uint8_t { number, text, bytes };

struct TypeRow {
  std::uint32_t type;
  std::string_view name;
  Form form;
};

// Form as xen/elfnote.h says: "numeric" or "string" in the comment of each.
constexpr std::array type_rows{
    TypeRow{XEN_ELFNOTE_INFO, "INFO", Form::bytes},
    TypeRow{XEN_ELFNOTE_ENTRY, "ENTRY", Form::number},
    TypeRow{XEN_ELFNOTE_HYPERCALL_PAGE, "HYPERCALL_PAGE", Form::number},
    TypeRow{XEN_ELFNOTE_VIRT_BASE, "VIRT_BASE", Form::number},
    TypeRow{XEN_ELFNOTE_PADDR_OFFSET, "PADDR_OFFSET", Form::number},
    TypeRow{XEN_ELFNOTE_XEN_VERSION, "XEN_VERSION", Form::text},
    TypeRow{XEN_ELFNOTE_GUEST_OS, "GUEST_OS", Form::text},
    TypeRow{XEN_ELFNOTE_GUEST_VERSION, "GUEST_VERSION", Form::text},
    TypeRow{XEN_ELFNOTE_LOADER, "LOADER", Form::text},
    TypeRow{XEN_ELFNOTE_PAE_MODE, "PAE_MODE", Form::text},
    TypeRow{XEN_ELFNOTE_FEATURES, "FEATURES", Form::text},
    TypeRow{XEN_ELFNOTE_BSD_SYMTAB, "BSD_SYMTAB", Form::text},
    TypeRow{XEN_ELFNOTE_HV_START_LOW, "HV_START_LOW", Form::number},
    TypeRow{XEN_ELFNOTE_L1_MFN_VALID, "L1_MFN_VALID", Form::bytes},
    TypeRow{XEN_ELFNOTE_SUSPEND_CANCEL, "SUSPEND_CANCEL", Form::number},
    TypeRow{XEN_ELFNOTE_INIT_P2M, "INIT_P2M", Form::number},
    TypeRow{XEN_ELFNOTE_MOD_START_PFN, "MOD_START_PFN", Form::number},
    TypeRow{XEN_ELFNOTE_SUPPORTED_FEATURES, "SUPPORTED_FEATURES", Form::number},
    TypeRow{XEN_ELFNOTE_PHYS32_ENTRY, "PHYS32_ENTRY", Form::number},
    TypeRow{XEN_ELFNOTE_CRASH_INFO, "CRASH_INFO", Form::bytes},
    TypeRow{XEN_ELFNOTE_CRASH_REGS, "CRASH_REGS", Form::bytes},
    TypeRow{XEN_ELFNOTE_DUMPCORE_NONE, "DUMPCORE_NONE", Form::bytes},
    TypeRow{XEN_ELFNOTE_DUMPCORE_HEADER, "DUMPCORE_HEADER", Form::bytes},
    TypeRow{XEN_ELFNOTE_DUMPCORE_XEN_VERSION, "DUMPCORE_XEN_VERSION", Form::bytes},
    TypeRow{XEN_ELFNOTE_DUMPCORE_FORMAT_VERSION, "DUMPCORE_FORMAT_VERSION", Form::bytes},
};
static_assert(static_cast<std::uint32_t>(NoteType::phys32_entry) == XEN_ELFNOTE_PHYS32_ENTRY);
static_assert(static_cast<std::uint32_t>(NoteType::supported_features) ==
              XEN_ELFNOTE_SUPPORTED_FEATURES);

// By XENFEAT number.
constexpr std::array<std::string_view, 18> feature_names{"writable_page_tables",
                                                         "writable_descriptor_tables",
                                                         "auto_translated_physmap",
                                                         "supervisor_mode_kernel",
                                                         "pae_pgdir_above_4gb",
                                                         "mmu_pt_update_preserve_ad",
                                                         "highmem_assist",
                                                         "gnttab_map_avail_bits",
                                                         "hvm_callback_vector",
                                                         "hvm_safe_pvclock",
                                                         "hvm_pirqs",
                                                         "dom0",
                                                         "grant_map_identity",
                                                         "memory_op_vnode_supported",
                                                         "ARM_SMCCC_supported",
                                                         "linux_rsdp_unrestricted",
                                                         "not_direct_mapped",
                                                         "direct_mapped"};
static_assert(XENFEAT_linux_rsdp_unrestricted == 15 && XENFEAT_direct_mapped == 17);

const TypeRow* find_row(std::uint32_t type) {
  const auto row = std::find_if(type_rows.begin(), type_rows.end(),
                                [&](const TypeRow& candidate) { return candidate.type == type; });
  return row == type_rows.end() ? nullptr : &*row;
}

constexpr std::size_t shown_bytes = 64;

std::string to_hex(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte byte : bytes.first(std::min(bytes.size(), shown_bytes))) {
    text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  }
  return bytes.size() > shown_bytes ? text + "..." : text;
}

// A descriptor is shown to people and goes into logs: nothing in it may move their cursor.
std::string to_text(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    const auto value = std::to_integer<unsigned char>(byte);
    if (value == 0) {
      break;
    }
    if (value >= 0x20 && value < 0x7f && value != '\\') {
      text += static_cast<char>(value);
    } else {
      text += fmt::format("\\x{:02x}", value);
    }
  }
  return text;
}

void add_feature(Features& features, std::string_view word) {
  const bool required = word.starts_with('!');
  const std::string_view name = required ? word.substr(1) : word;
  const auto known = std::find(feature_names.begin(), feature_names.end(), name);
  if (known == feature_names.end()) {
    features.unknown.emplace_back(word);
    return;
  }
  const std::uint32_t bit = 1U << (known - feature_names.begin());
  features.supported_mask |= bit;
  features.required_mask |= required ? bit : 0;
}

std::vector<std::string> names_of(std::uint32_t mask) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < feature_names.size(); ++i) {
    if ((mask & (1U << i)) != 0) {
      names.emplace_back(feature_names[i]);
    }
  }
  return names;
}

}  // namespace

std::string_view note_name(std::uint32_t type) {
  const TypeRow* const row = find_row(type);
  return row == nullptr ? std::string_view() : row->name;
}

Note decode_note(std::uint32_t type, std::span<const std::byte> descriptor) {
  const TypeRow* const row = find_row(type);
  Note note;
  note.type = type;
  note.name = row == nullptr ? fmt::format("unknown {:#x}", type) : std::string(row->name);
  note.descriptor_size = static_cast<std::uint32_t>(descriptor.size());
  const ByteView view(descriptor);
  const Form form = row == nullptr ? Form::bytes : row->form;
  if (form == Form::number && descriptor.size() == 4) {
    note.number = view.read<std::uint32_t>(0);
  } else if (form == Form::number && descriptor.size() == 8) {
    note.number = view.read<std::uint64_t>(0);
  } else if (form == Form::text) {
    note.text = to_text(descriptor);
  } else {
    note.bytes = to_hex(descriptor);
  }
  return note;
}

Features decode_features(const std::vector<Note>& notes) {
  Features features;
  if (const Note* note = find_note(notes, NoteType::features); note != nullptr && note->text) {
    std::string_view rest = *note->text;
    while (!rest.empty()) {
      const std::string_view word = rest.substr(0, rest.find('|'));
      if (!word.empty()) {
        add_feature(features, word);
      }
      rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    }
  }
  const Note* mask = find_note(notes, NoteType::supported_features);
  if (mask != nullptr && mask->number) {
    features.supported_mask |= static_cast<std::uint32_t>(*mask->number);
  }
  features.supported = names_of(features.supported_mask);
  features.required = names_of(features.required_mask);
  return features;
}

}  // namespace xl::build
