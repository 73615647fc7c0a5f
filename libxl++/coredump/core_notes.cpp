// SPDX-License-Identifier: Apache-2.0
#include "libxl++/coredump/core_notes.hpp"

#include <cstdint>
#include <cstring>

// clang-format off: the ABI's headers need the types from above
#include <xen/elfnote.h>
#include <xen/version.h>
#include <xen/xen.h>
// clang-format on
#include <elf.h>
#include <sys/procfs.h>
#include <sys/user.h>

namespace xl::coredump {
namespace {

constexpr std::uint64_t hvm_magic = 0xF00FEBEE;  // XC_CORE_MAGIC_HVM
constexpr std::uint64_t format_version = 1;      // (0, 1)

// tools/include/xenguest.h's structures are described in docs/misc/dump-core-format.txt.
struct HeaderDescription {
  std::uint64_t magic, vcpus, pages, page_size;
};
struct VersionDescription {
  std::uint64_t major, minor;
  xen_extraversion_t extra;
  xen_compile_info_t compile;
  xen_capabilities_info_t capabilities;
  xen_changeset_info_t changeset;
  xen_platform_parameters_t platform;
  std::uint64_t page_size;
};
static_assert(sizeof(VersionDescription) == 1280);

template <typename T>
void append(std::string& to, const T& value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// Name and description padded to 4 bytes each.
void append_note(std::string& to, std::uint32_t type, const char* name, std::string_view content) {
  const std::size_t name_size = std::strlen(name) + 1;
  append(to, static_cast<std::uint32_t>(name_size));
  append(to, static_cast<std::uint32_t>(content.size()));
  append(to, type);
  to.append(name, name_size).append((4 - name_size % 4) % 4, '\0');
  to.append(content).append((4 - content.size() % 4) % 4, '\0');
}

template <typename T>
std::string_view view(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

template <std::size_t N>
void copy_text(char (&to)[N], std::string_view from) {
  std::memcpy(to, from.data(), std::min(from.size(), N - 1));
}

// "4.17.7": as XENVER_version and XENVER_extraversion give it.
void fill_version(VersionDescription& to, std::string_view text) {
  const auto number = [&text] {
    std::uint64_t value = 0;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
      value = value * 10 + static_cast<std::uint64_t>(text.front() - '0');
      text.remove_prefix(1);
    }
    return value;
  };
  to.major = number();
  text.remove_prefix(text.starts_with('.') ? 1 : 0);
  to.minor = number();
  copy_text(to.extra, text);
}

bool in_kernel(const hv::VcpuContext& vcpu) {
  return (vcpu.ss.attributes >> 5 & 3) == 0;
}

user_regs_struct registers_of(const hv::VcpuContext& vcpu) {
  user_regs_struct to{};
  to.r15 = vcpu.r15;
  to.r14 = vcpu.r14;
  to.r13 = vcpu.r13;
  to.r12 = vcpu.r12;
  to.rbp = vcpu.rbp;
  to.rbx = vcpu.rbx;
  to.r11 = vcpu.r11;
  to.r10 = vcpu.r10;
  to.r9 = vcpu.r9;
  to.r8 = vcpu.r8;
  to.rax = vcpu.rax;
  to.rcx = vcpu.rcx;
  to.rdx = vcpu.rdx;
  to.rsi = vcpu.rsi;
  to.rdi = vcpu.rdi;
  to.orig_rax = ~0ULL;  // not in a system call
  to.rip = vcpu.rip;
  to.cs = vcpu.cs.selector;
  to.eflags = vcpu.rflags;
  to.rsp = vcpu.rsp;
  to.ss = vcpu.ss.selector;
  to.fs_base = vcpu.fs.base;
  to.gs_base = vcpu.gs.base;
  to.ds = vcpu.ds.selector;
  to.es = vcpu.es.selector;
  to.fs = vcpu.fs.selector;
  to.gs = vcpu.gs.selector;
  return to;
}

void fill(cpu_user_regs& to, const hv::VcpuContext& vcpu) {
  to.r15 = vcpu.r15;
  to.r14 = vcpu.r14;
  to.r13 = vcpu.r13;
  to.r12 = vcpu.r12;
  to.rbp = vcpu.rbp;
  to.rbx = vcpu.rbx;
  to.r11 = vcpu.r11;
  to.r10 = vcpu.r10;
  to.r9 = vcpu.r9;
  to.r8 = vcpu.r8;
  to.rax = vcpu.rax;
  to.rcx = vcpu.rcx;
  to.rdx = vcpu.rdx;
  to.rsi = vcpu.rsi;
  to.rdi = vcpu.rdi;
  to.rip = vcpu.rip;
  to.cs = vcpu.cs.selector;
  to.rflags = vcpu.rflags;
  to.rsp = vcpu.rsp;
  to.ss = vcpu.ss.selector;
  to.es = vcpu.es.selector;
  to.ds = vcpu.ds.selector;
  to.fs = vcpu.fs.selector;
  to.gs = vcpu.gs.selector;
}

vcpu_guest_context_t context_of(const hv::VcpuContext& vcpu) {
  vcpu_guest_context_t to{};
  to.flags = VGCF_online | (in_kernel(vcpu) ? VGCF_in_kernel : 0);
  fill(to.user_regs, vcpu);
  to.ctrlreg[0] = vcpu.cr0;
  to.ctrlreg[2] = vcpu.cr2;
  to.ctrlreg[3] = vcpu.cr3;
  to.ctrlreg[4] = vcpu.cr4;
  to.debugreg[6] = vcpu.dr6;
  to.debugreg[7] = vcpu.dr7;
  to.fs_base = vcpu.fs.base;
  (in_kernel(vcpu) ? to.gs_base_kernel : to.gs_base_user) = vcpu.gs.base;
  return to;
}

}  // namespace

Pages total_pages(const CoreInfo& info) {
  Pages total;
  for (const hv::Extent& extent : info.extents) {
    total += extent.count;
  }
  return total;
}

std::string xen_notes(const CoreInfo& info) {
  const HeaderDescription header{hvm_magic, info.vcpus.size(), total_pages(info).count(),
                                 page_size};
  VersionDescription version{};
  fill_version(version, info.hypervisor_version);
  copy_text(version.capabilities, info.capabilities);
  version.page_size = page_size;
  std::string notes;
  append_note(notes, XEN_ELFNOTE_DUMPCORE_NONE, "Xen", {});
  append_note(notes, XEN_ELFNOTE_DUMPCORE_HEADER, "Xen", view(header));
  append_note(notes, XEN_ELFNOTE_DUMPCORE_XEN_VERSION, "Xen", view(version));
  append_note(notes, XEN_ELFNOTE_DUMPCORE_FORMAT_VERSION, "Xen", view(format_version));
  return notes;
}

std::string status_notes(const CoreInfo& info) {
  std::string notes;
  for (const CoreVcpu& vcpu : info.vcpus) {
    elf_prstatus status{};
    status.pr_pid = static_cast<int>(vcpu.id.value()) + 1;
    const user_regs_struct registers = registers_of(vcpu.context);
    static_assert(sizeof registers == sizeof status.pr_reg);
    std::memcpy(&status.pr_reg, &registers, sizeof registers);
    append_note(notes, NT_PRSTATUS, "CORE", view(status));
  }
  return notes;
}

std::string guest_contexts(const CoreInfo& info) {
  std::string contexts;
  for (const CoreVcpu& vcpu : info.vcpus) {
    append(contexts, context_of(vcpu.context));
  }
  return contexts;
}

}  // namespace xl::coredump
