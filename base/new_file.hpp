// SPDX-License-Identifier: Apache-2.0
// NewFile: a file that appears under its name when it is complete, and not at all otherwise, also
// when the process is killed while it writes (where the file system has nameless files). An old
// file of that name stays until then. What is not a regular file (a pipe, /dev/stdout) is simply
// written to. Hosted.
#pragma once

#include <string>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace xl {

class [[nodiscard]] NewFile {
 public:
  // Readable by its owner only. Errors: of the file system, naming the path.
  static Result<NewFile> create(const std::string& path);
  NewFile(NewFile&& other) noexcept = default;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();

  int fd() const { return fd_.get(); }
  // It appears. Errors: of the file system; then it does not.
  Result<void> complete();

 private:
  enum class Kind { nameless, temporary, in_place };
  NewFile(UniqueFd fd, Kind kind, std::string path, std::string temporary)
      : fd_(std::move(fd)), kind_(kind), path_(std::move(path)), temporary_(std::move(temporary)) {}

  UniqueFd fd_;
  Kind kind_;
  std::string path_;
  std::string temporary_;  // its name until it is complete
};

}  // namespace xl
