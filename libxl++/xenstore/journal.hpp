// SPDX-License-Identifier: Apache-2.0
// Journal: the file that a killed daemon's successor reads. A sequence of batches, each appended by
// one write before anyone can see what it says, with its length and checksum: what a killed writer
// left unfinished at the end is cut off. Nothing is synced to disk: the guests that the file is
// about end with the machine too.
//
// Thread rule: one at a time (the Server's lock).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace xl::xenstore {

class Journal {
 public:
  // Takes one batch; false if it makes no sense.
  using Reader = std::function<bool(std::string_view batch)>;
  using Sink = std::function<void(std::string_view batch)>;

  // Reads the file, or makes it. A file that makes no sense is put aside under the name
  // *.damaged, and what was read of it until then counts; `damaged()` tells. Errors: io.
  static Result<std::unique_ptr<Journal>> open(std::string path, const Reader& reader);

  // A failure is logged and made good by a rewrite later.
  void append(std::string_view batch);
  // Whether the file should be replaced by one of what is left of its contents.
  bool wants_rewrite() const;
  // Replaces the file by the batches that `snapshot` gives, at once.
  void rewrite(const std::function<void(const Sink&)>& snapshot);

  bool damaged() const { return damaged_; }
  std::uint64_t size() const { return size_; }  // bytes

 private:
  explicit Journal(std::string path) : path_(std::move(path)) {}
  Result<void> start();
  Result<void> load(const Reader& reader);

  const std::string path_;
  UniqueFd fd_;
  std::uint64_t size_ = 0;
  std::uint64_t rewritten_size_ = 0;  // after the last rewrite
  bool damaged_ = false;
  bool has_gap_ = false;  // an append failed
  std::chrono::steady_clock::time_point last_try_{};
};

// The batches of a journal's bytes, up to the first that is not whole; returns the bytes that they
// take, none if these are not a journal's bytes. `reader` may stop it.
std::uint64_t read_batches(std::string_view bytes, const Journal::Reader& reader);

}  // namespace xl::xenstore
