// SPDX-License-Identifier: Apache-2.0
// HYPERVISOR_console_io: a guest's early words (hvc_xen's xenboot console, tiny guests) go into the
// hypervisor's log, line by line and at the log's guest rate. Xen does the same in its debug builds
// and in release ones for domain 0 only.
#pragma once

#include "hypervisor/core/call.hpp"

namespace hyp::console_io {

inline constexpr std::uint64_t piece = 128;  // bytes copied at once, as Xen's

template <typename P>
std::int64_t write(const Call<P>& call, std::uint64_t count, std::uint64_t buffer) {
  Domain<P>& domain = call.domain();
  std::array<char, piece> bytes;
  for (std::uint64_t done = 0; done < count;) {
    const std::uint64_t size = count - done < piece ? count - done : piece;
    if (!call.read_bytes(bytes.data(), buffer + done, size)) {
      return negative(Errno::fault);
    }
    for (std::uint64_t i = 0; i < size; ++i) {
      domain.console.put(bytes[i], [&](const char* text, std::size_t length) {
        call.parts.core.log.guest(domain.id, "| ", GuestText{text, length});
      });
    }
    done += size;
    if (done >= 4096 && done < count) {
      call.frame.args[1] = count - done;
      call.frame.args[2] = buffer + done;
      return call.again();
    }
  }
  return 0;
}

template <typename P>
std::int64_t dispatch(const Call<P>& call, std::uint64_t command, std::uint64_t count,
                      std::uint64_t buffer) {
  switch (command) {
    case CONSOLEIO_write: return write(call, static_cast<std::uint32_t>(count), buffer);
    case CONSOLEIO_read: return negative(Errno::perm);
    default: return negative(Errno::nosys);
  }
}

}  // namespace hyp::console_io
