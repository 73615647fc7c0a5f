// SPDX-License-Identifier: Apache-2.0
// public/io/xs_wire.h with the types that it presumes. For .cpp files.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>

// clang-format off: the types and errno values first
#include <xen/io/xs_wire.h>
// clang-format on
