// SPDX-License-Identifier: Apache-2.0
// HYPERVISOR_xen_version (public/version.h): what a PVH domain of Xen 4.17 sees.
#pragma once

#include "hypervisor/abi/xen_version.hpp"
#include "hypervisor/core/call.hpp"

namespace hyp::xen_version {

// XENFEAT_* of submap 0.
inline constexpr std::uint32_t features =
    1U << XENFEAT_writable_page_tables | 1U << XENFEAT_auto_translated_physmap |
    1U << XENFEAT_memory_op_vnode_supported | 1U << XENFEAT_hvm_safe_pvclock |
    1U << XENFEAT_hvm_callback_vector | 1U << XENFEAT_not_direct_mapped;

// A fixed-size, NUL-padded text field.
template <std::size_t Size>
struct Text {
  char bytes[Size] = {};
};
template <std::size_t Size>
constexpr Text<Size> text(const char* from) {
  Text<Size> result;
  for (std::size_t i = 0; i + 1 < Size && from[i] != '\0'; ++i) {
    result.bytes[i] = from[i];
  }
  return result;
}

template <typename P>
Result<void> compile_info(const Call<P>& call, std::uint64_t arg) {
  xen_compile_info info{};
  const auto fill = [](char* to, std::size_t size, const char* from) {
    for (std::size_t i = 0; i + 1 < size && from[i] != '\0'; ++i) {
      to[i] = from[i];
    }
  };
  fill(info.compiler, sizeof info.compiler, __VERSION__);
  fill(info.compile_by, sizeof info.compile_by, "xl++");
  fill(info.compile_domain, sizeof info.compile_domain, "");
  fill(info.compile_date, sizeof info.compile_date, "");
  return call.write(arg, info);
}

template <typename P>
Result<void> get_features(const Call<P>& call, std::uint64_t arg) {
  XL_TRY_ASSIGN(xen_feature_info info, call.template read<xen_feature_info>(arg));
  if (info.submap_idx >= XENFEAT_NR_SUBMAPS) {
    return fail(Errno::inval);
  }
  info.submap = features;
  return call.write(arg, info);
}

template <typename P>
std::int64_t dispatch(const Call<P>& call, std::uint64_t command, std::uint64_t arg) {
  switch (command) {
    case XENVER_version: return xl::abi::xen_version;
    case XENVER_extraversion:
      return to_value(call.write(arg, text<sizeof(xen_extraversion_t)>(xl::abi::xen_extra)));
    case XENVER_compile_info: return to_value(compile_info(call, arg));
    case XENVER_capabilities:
      return to_value(
          call.write(arg, text<sizeof(xen_capabilities_info_t)>(
                              "xen-3.0-x86_64 hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 ")));
    case XENVER_changeset:
      return to_value(call.write(arg, text<sizeof(xen_changeset_info_t)>("unavailable")));
    // Where the hypervisor's virtual space begins for a PV guest; nothing for this one.
    case XENVER_platform_parameters: return to_value(call.write_word(arg, 0));
    case XENVER_get_features: return to_value(get_features(call, arg));
    case XENVER_pagesize: return arg != 0 ? negative(Errno::inval) : 4096;
    case XENVER_guest_handle: return to_value(call.write(arg, call.domain().handle));
    case XENVER_commandline:
      return to_value(call.write(arg, text<sizeof(xen_commandline_t)>("<denied>")));
    case XENVER_build_id: return negative(Errno::perm);  // as the command line: not for guests
    default: return negative(Errno::nosys);
  }
}

}  // namespace hyp::xen_version
