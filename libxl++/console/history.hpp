// SPDX-License-Identifier: Apache-2.0
// History: the last bytes that a domain printed, for those who attach later, and how far its ring
// and its log had been served, for a daemon that comes after this one was killed. All of it lies in
// a file, which costs this process no memory; a domain that prints nothing has none. What is
// appended counts only with the commit after it, which is one write within a page: a kill comes
// before it or after it. Not locked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace xl::console {

inline constexpr std::size_t history_limit = 64 << 10;  // bytes

class History {
 public:
  // What has been served of the domain's output.
  struct Position {
    std::uint32_t ring_taken = 0;  // out_cons
    std::uint64_t log_size = 0;    // of the log file; what is beyond was not counted yet
  };

  // An empty path: nothing is kept.
  explicit History(std::string path) : path_(std::move(path)) {}
  // What the file has is gone on with; a file that makes no sense, or none, is a new one.
  static History resume(std::string path);

  // What was committed last; nothing if nothing was.
  const std::optional<Position>& position() const { return position_; }
  // Errors: of the file system, naming the path.
  Result<void> append(std::span<const std::byte> bytes);
  Result<void> commit(const Position& position);

  // At most history_limit bytes.
  std::string text() const;

 private:
  Result<void> open();

  std::string path_;
  std::optional<Position> position_;
  std::uint64_t end_ = 0;       // bytes ever, as committed
  std::uint64_t appended_ = 0;  // beyond that
  UniqueFd file_;               // from append to commit
};

// The last line of `text` that has anything on it, without its end and surrounding spaces.
std::string last_line(const std::string& text);

}  // namespace xl::console
