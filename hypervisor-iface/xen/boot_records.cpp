// SPDX-License-Identifier: Apache-2.0
#include "hypervisor-iface/xen/boot_records.hpp"

extern "C" {
#include <xen/hvm/save.h>
}

#include <algorithm>
#include <cstring>
#include <string>

#include "hypervisor-iface/xen/failure.hpp"

namespace xl::hv::xen {
namespace {

static_assert(HVM_SAVE_CODE(CPU) == cpu_record);
static_assert(HVM_SAVE_CODE(MTRR) == mtrr_record);
static_assert(CPU_XSAVE_CODE == xsave_record);

// MSR_MTRRdefType: enable, default type write-back.
constexpr std::uint64_t mtrr_all_write_back = (1U << 11) | 6;
constexpr std::uint64_t cr0_et = 1U << 4;  // hard-wired in CPUs that there are

struct RegisterPair {
  std::uint64_t VcpuContext::*ours;
  std::uint64_t hvm_hw_cpu::*xens;
};
constexpr RegisterPair registers[] = {
    {&VcpuContext::rax, &hvm_hw_cpu::rax},       {&VcpuContext::rbx, &hvm_hw_cpu::rbx},
    {&VcpuContext::rcx, &hvm_hw_cpu::rcx},       {&VcpuContext::rdx, &hvm_hw_cpu::rdx},
    {&VcpuContext::rsi, &hvm_hw_cpu::rsi},       {&VcpuContext::rdi, &hvm_hw_cpu::rdi},
    {&VcpuContext::rbp, &hvm_hw_cpu::rbp},       {&VcpuContext::rsp, &hvm_hw_cpu::rsp},
    {&VcpuContext::r8, &hvm_hw_cpu::r8},         {&VcpuContext::r9, &hvm_hw_cpu::r9},
    {&VcpuContext::r10, &hvm_hw_cpu::r10},       {&VcpuContext::r11, &hvm_hw_cpu::r11},
    {&VcpuContext::r12, &hvm_hw_cpu::r12},       {&VcpuContext::r13, &hvm_hw_cpu::r13},
    {&VcpuContext::r14, &hvm_hw_cpu::r14},       {&VcpuContext::r15, &hvm_hw_cpu::r15},
    {&VcpuContext::rip, &hvm_hw_cpu::rip},       {&VcpuContext::rflags, &hvm_hw_cpu::rflags},
    {&VcpuContext::cr0, &hvm_hw_cpu::cr0},       {&VcpuContext::cr2, &hvm_hw_cpu::cr2},
    {&VcpuContext::cr3, &hvm_hw_cpu::cr3},       {&VcpuContext::cr4, &hvm_hw_cpu::cr4},
    {&VcpuContext::efer, &hvm_hw_cpu::msr_efer}, {&VcpuContext::dr6, &hvm_hw_cpu::dr6},
    {&VcpuContext::dr7, &hvm_hw_cpu::dr7},
};

struct SegmentFields {
  Segment VcpuContext::*ours;
  std::uint32_t hvm_hw_cpu::*selector;
  std::uint32_t hvm_hw_cpu::*limit;
  std::uint64_t hvm_hw_cpu::*base;
  std::uint32_t hvm_hw_cpu::*attributes;
};
#define XL_SEGMENT(name)                                                    \
  {                                                                         \
    &VcpuContext::name, &hvm_hw_cpu::name##_sel, &hvm_hw_cpu::name##_limit, \
        &hvm_hw_cpu::name##_base, &hvm_hw_cpu::name##_arbytes               \
  }
#define XL_TABLE(name) \
  { &VcpuContext::name, nullptr, &hvm_hw_cpu::name##_limit, &hvm_hw_cpu::name##_base, nullptr }
constexpr SegmentFields segments[] = {
    XL_SEGMENT(cs), XL_SEGMENT(ds), XL_SEGMENT(es),   XL_SEGMENT(fs), XL_SEGMENT(gs),
    XL_SEGMENT(ss), XL_SEGMENT(tr), XL_SEGMENT(ldtr), XL_TABLE(gdtr), XL_TABLE(idtr),
};

void append(std::vector<std::byte>& stream, const void* bytes, std::size_t size) {
  const auto* first = static_cast<const std::byte*>(bytes);
  stream.insert(stream.end(), first, first + size);
}

void append_record(std::vector<std::byte>& stream, std::uint16_t type, std::uint16_t vcpu,
                   std::span<const std::byte> bytes) {
  const hvm_save_descriptor descriptor{type, vcpu, static_cast<std::uint32_t>(bytes.size())};
  append(stream, &descriptor, sizeof descriptor);
  append(stream, bytes.data(), bytes.size());
}

// The first record of that type; empty if there is none.
std::span<const std::byte> find_record(std::span<const std::byte> stream, std::uint16_t type) {
  hvm_save_descriptor descriptor{};
  while (stream.size() >= sizeof descriptor) {
    std::memcpy(&descriptor, stream.data(), sizeof descriptor);
    stream = stream.subspan(sizeof descriptor);
    if (descriptor.typecode == HVM_SAVE_CODE(END) || descriptor.length > stream.size()) {
      break;
    }
    if (descriptor.typecode == type) {
      return stream.first(descriptor.length);
    }
    stream = stream.subspan(descriptor.length);
  }
  return {};
}

}  // namespace

VcpuContext context_of(std::span<const std::byte> cpu) {
  hvm_hw_cpu record{};
  std::memcpy(&record, cpu.data(), std::min(sizeof record, cpu.size()));
  VcpuContext context;
  for (const RegisterPair& pair : registers) {
    context.*pair.ours = record.*pair.xens;
  }
  for (const SegmentFields& fields : segments) {
    Segment& segment = context.*fields.ours;
    segment.limit = record.*fields.limit;
    segment.base = record.*fields.base;
    if (fields.selector != nullptr) {
      segment.selector = static_cast<std::uint16_t>(record.*fields.selector);
      segment.attributes = static_cast<std::uint16_t>(record.*fields.attributes);
    }
  }
  return context;
}

SaveRecord make_cpu_record(VcpuId vcpu, const VcpuContext& context) {
  hvm_hw_cpu record{};
  for (const RegisterPair& pair : registers) {
    record.*pair.xens = context.*pair.ours;
  }
  record.cr0 |= cr0_et;
  for (const SegmentFields& fields : segments) {
    const Segment& segment = context.*fields.ours;
    record.*fields.limit = segment.limit;
    record.*fields.base = segment.base;
    if (fields.selector != nullptr) {
      record.*fields.selector = segment.selector;
      record.*fields.attributes = segment.attributes;
    }
  }
  SaveRecord made{cpu_record, static_cast<std::uint16_t>(vcpu.value()), {}};
  append(made.bytes, &record, sizeof record);
  return made;
}

// Xen gives the header only with everything else.
Result<void> BootRecords::learn(const Handles& handles, DomId domain) {
  if (!header_.empty()) {
    return {};
  }
  const Listening listening;
  const std::string doing = "reading the state of domain " + std::to_string(domain.value());
  const int size = xc_domain_hvm_getcontext(handles.xc(), domain.value(), nullptr, 0);
  if (size <= 0) {
    return listening.failure(doing);
  }
  std::vector<std::byte> all(static_cast<std::size_t>(size));
  if (xc_domain_hvm_getcontext(handles.xc(), domain.value(),
                               reinterpret_cast<std::uint8_t*>(all.data()),
                               static_cast<std::uint32_t>(all.size())) <= 0) {
    return listening.failure(doing);
  }
  const auto header = find_record(all, HVM_SAVE_CODE(HEADER));
  const auto mtrr = find_record(all, HVM_SAVE_CODE(MTRR));
  hvm_save_header values{};
  hvm_hw_mtrr start{};
  if (header.size() != sizeof values || mtrr.size() != sizeof start) {
    return fail(ErrorCode::protocol, "Xen's record of domain " + std::to_string(domain.value()) +
                                         " has no header or no MTRRs");
  }
  std::memcpy(&values, header.data(), sizeof values);
  values.gtsc_khz = 0;  // each domain keeps its own
  std::memcpy(&start, mtrr.data(), sizeof start);
  start.msr_mtrr_def_type = mtrr_all_write_back;
  append(mtrr_, &start, sizeof start);
  append_record(header_, HVM_SAVE_CODE(HEADER), 0,
                std::as_bytes(std::span<const hvm_save_header>(&values, 1)));
  return {};
}

Result<SaveRecord> BootRecords::mtrr(const Handles& handles, DomId domain, VcpuId vcpu) {
  const std::lock_guard lock(mutex_);
  XL_TRY(learn(handles, domain));
  return SaveRecord{mtrr_record, static_cast<std::uint16_t>(vcpu.value()), mtrr_};
}

Result<std::vector<std::byte>> BootRecords::stream(const Handles& handles, DomId domain,
                                                   std::span<const SaveRecord> records) {
  const std::lock_guard lock(mutex_);
  XL_TRY(learn(handles, domain));
  std::vector<std::byte> all = header_;
  for (const SaveRecord& record : records) {
    append_record(all, record.type, record.vcpu, record.bytes);
  }
  append_record(all, HVM_SAVE_CODE(END), 0, {});
  return all;
}

}  // namespace xl::hv::xen
