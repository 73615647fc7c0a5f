// SPDX-License-Identifier: Apache-2.0
#include "hypervisor-iface/bundled/ram.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string>

#include "hypervisor-iface/bundled/qemu_command.hpp"

namespace xl::hv::bundled {
namespace {

// QEMU's microvm machine (7.2 to 10.0): RAM up to 3 GiB lies at 0, the rest from 4 GiB on; the file
// goes on without a gap.
constexpr std::uint64_t low_limit = gib(3).count();
constexpr std::uint64_t high_start = gib(4).count();

constexpr const char* memfd_name = "xl++ ram";

}  // namespace

Result<std::shared_ptr<Ram>> Ram::create(Bytes size) {
  UniqueFd fd(::memfd_create(memfd_name, MFD_CLOEXEC));
  if (!fd) {
    return Unexpected(system_error(errno, "memfd_create"));
  }
  const auto bytes = static_cast<std::size_t>(size.count());
  if (::ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0) {
    return Unexpected(
        system_error(errno, "sizing a memory file of " + std::to_string(bytes) + " bytes"));
  }
  return map(std::move(fd), size);
}

Result<std::shared_ptr<Ram>> Ram::open(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(ram_fd_number);
  // Not O_RDWR at once: until the process has become QEMU, the number may be any file of ours.
  const UniqueFd look(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!look) {
    const int error = errno;
    if (error == ENOENT) {
      return fail(ErrorCode::busy, "process " + std::to_string(pid) + " has no memory file");
    }
    return Unexpected(system_error(error, "opening the memory of the hypervisor, " + path));
  }
  std::error_code ignored;
  const std::string name =
      std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(look.get()), ignored);
  struct stat info {};
  if (name.rfind("/memfd:" + std::string(memfd_name), 0) != 0 || ::fstat(look.get(), &info) != 0 ||
      info.st_size <= 0 || static_cast<std::uint64_t>(info.st_size) % mib(2).count() != 0) {
    return fail(ErrorCode::busy, path + " is not a hypervisor's memory");
  }
  UniqueFd fd(::open(("/proc/self/fd/" + std::to_string(look.get())).c_str(), O_RDWR | O_CLOEXEC));
  if (!fd) {
    return Unexpected(system_error(errno, "opening the memory of the hypervisor, " + path));
  }
  return map(std::move(fd), Bytes(static_cast<std::uint64_t>(info.st_size)));
}

Result<std::shared_ptr<Ram>> Ram::map(UniqueFd fd, Bytes size) {
  const auto bytes = static_cast<std::size_t>(size.count());
  void* start =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd.get(), 0);
  if (start == MAP_FAILED) {
    return Unexpected(
        system_error(errno, "mapping a memory file of " + std::to_string(bytes) + " bytes"));
  }
  // Guests' memory does not belong into a core dump of the daemon. Advice only: no harm where it is
  // not taken.
  (void)::madvise(start, bytes, MADV_DONTDUMP);
  (void)::madvise(start, bytes, MADV_HUGEPAGE);
  return std::shared_ptr<Ram>(new Ram(std::move(fd), static_cast<std::byte*>(start), size));
}

Ram::~Ram() {
  ::munmap(start_, static_cast<std::size_t>(size_.count()));
}

std::optional<std::uint64_t> Ram::file_offset(Mfn first, Pages count) const {
  // 52-bit physical addresses: below this nothing overflows.
  constexpr std::uint64_t page_limit = 1ULL << 40;
  if (count == Pages(0) || count.count() > page_limit || first.value() > page_limit) {
    return std::nullopt;
  }
  const std::uint64_t start = to_phys(first).value();
  const std::uint64_t end = start + to_bytes(count).count();
  if (end <= std::min(low_limit, size_.count())) {
    return start;
  }
  if (start >= high_start && end - high_start + low_limit <= size_.count()) {
    return start - high_start + low_limit;
  }
  return std::nullopt;
}

std::span<std::byte> Ram::frames(Mfn first, Pages count) const {
  const std::optional<std::uint64_t> offset = file_offset(first, count);
  if (!offset) {
    return {};
  }
  return {start_ + *offset, static_cast<std::size_t>(to_bytes(count).count())};
}

bool Ram::read(std::span<const std::byte> from, std::span<std::byte> to) const {
  const auto start = static_cast<std::size_t>(from.data() - start_);
  for (std::size_t done = 0; done < from.size();) {
    const ssize_t got =
        ::pread(fd_.get(), to.data() + done, from.size() - done, static_cast<off_t>(start + done));
    if (got <= 0 && errno != EINTR) {
      return false;
    }
    done += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  return true;
}

bool Ram::write(std::span<std::byte> to, std::span<const std::byte> from) const {
  const auto start = static_cast<std::size_t>(to.data() - start_);
  for (std::size_t done = 0; done < from.size();) {
    const ssize_t written = ::pwrite(fd_.get(), from.data() + done, from.size() - done,
                                     static_cast<off_t>(start + done));
    if (written <= 0 && errno != EINTR) {
      return false;
    }
    done += written > 0 ? static_cast<std::size_t>(written) : 0;
  }
  return true;
}

void Ram::let_go(std::span<std::byte> memory) {
  // Of a shared mapping, this drops the page table entries only.
  (void)::madvise(memory.data(), memory.size(), MADV_DONTNEED);
}

Result<void> Ram::release(Mfn first, Pages count) const {
  const std::optional<std::uint64_t> offset = file_offset(first, count);
  if (!offset) {
    return fail(ErrorCode::invalid_argument,
                "frames from " + std::to_string(first.value()) + " are not RAM");
  }
  if (::fallocate(fd_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                  static_cast<off_t>(*offset), static_cast<off_t>(to_bytes(count).count())) != 0) {
    return Unexpected(system_error(errno, "giving memory back to the host"));
  }
  return {};
}

}  // namespace xl::hv::bundled
