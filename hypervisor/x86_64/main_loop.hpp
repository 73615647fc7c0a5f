// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace hyp::x86 {

// What a physical CPU does for ever: serves the host, runs vcpus, sleeps.
[[noreturn]] void main_loop();

}  // namespace hyp::x86
