// SPDX-License-Identifier: Apache-2.0
// The machine's RAM: one memory file that QEMU and this process both map, whole and sparse.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <span>

#include "base/error.hpp"
#include "base/types.hpp"
#include "base/unique_fd.hpp"
#include "hypervisor-iface/hypervisor.hpp"

namespace xl::hv::bundled {

// Thread rule: any thread. Owned by shared_ptr, because mappings of guest memory outlive the
// hypervisor object.
class Ram final : public BulkWriter {
 public:
  // `size` is a multiple of 2 MiB. Costs no memory until it is touched.
  static Result<std::shared_ptr<Ram>> create(Bytes size);
  // That of the hypervisor that `pid` runs. busy if the process has none (yet); permission_denied
  // if the kernel does not let this process look.
  static Result<std::shared_ptr<Ram>> open(pid_t pid);
  ~Ram() override;
  Ram(const Ram&) = delete;
  Ram& operator=(const Ram&) = delete;

  int fd() const { return fd_.get(); }
  Bytes size() const { return size_; }
  // Machine frames [first, first + count) here; empty unless all of them are RAM and adjoin in the
  // file.
  std::span<std::byte> frames(Mfn first, Pages count) const;
  // By pwrite(2): half the time of faulting the pages in and copying (docs/adr/0033).
  bool write(std::span<std::byte> to, std::span<const std::byte> from) const override;
  // By pread(2): a page that nobody has written to needs none, where a load would make one.
  bool read(std::span<const std::byte> from, std::span<std::byte> to) const override;
  // Forgets that this process has touched the memory (its resident size shrinks); the content
  // stays.
  static void let_go(std::span<std::byte> memory);
  // Gives the frames' memory back to the host; they read as zeros. invalid_argument unless all are
  // RAM.
  Result<void> release(Mfn first, Pages count) const;

 private:
  Ram(UniqueFd fd, std::byte* start, Bytes size) : fd_(std::move(fd)), start_(start), size_(size) {}
  static Result<std::shared_ptr<Ram>> map(UniqueFd fd, Bytes size);
  std::optional<std::uint64_t> file_offset(Mfn first, Pages count) const;

  UniqueFd fd_;
  std::byte* start_;
  Bytes size_;
};

}  // namespace xl::hv::bundled
