// SPDX-License-Identifier: Apache-2.0
// public/io/xs_wire.h with the types that it presumes. For .cpp files.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>

// clang-format off: the types and errno values first
#include <xen/io/xs_wire.h>
// clang-format on

namespace xl::xenstore {

// What later versions of the header have (docs/misc/xenstore.txt, xenstore-ring.txt).
inline constexpr std::uint32_t get_feature_request = 23;
inline constexpr std::uint32_t set_feature_request = 24;
inline constexpr std::uint32_t get_quota_request = 25;
inline constexpr std::uint32_t set_quota_request = 26;
inline constexpr std::uint32_t watch_depth_feature = 4;  // of server_features

inline constexpr std::uint32_t all_features =
    XENSTORE_SERVER_FEATURE_RECONNECTION | XENSTORE_SERVER_FEATURE_ERROR | watch_depth_feature;

}  // namespace xl::xenstore
