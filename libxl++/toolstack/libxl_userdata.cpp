// SPDX-License-Identifier: Apache-2.0
#include "libxl++/toolstack/libxl_userdata.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/unique_fd.hpp"
#include "libxl++/config/json.hpp"

namespace xl::toolstack {
namespace {

constexpr std::string_view config_user = "libxl-json";
constexpr std::string_view lock_user = "domain-userdata-lock";

constexpr std::size_t max_config_bytes = 1 << 20;
constexpr std::size_t read_chunk = 8 << 10;

// The kinds of files.
constexpr char data = 'd';
constexpr char unfinished = 'n';
constexpr char lock = 'l';

// A lock file of libxl's (libxl__lock_file): it goes while the lock is held, so one that was gone
// or another when the lock was got has to be opened anew.
class [[nodiscard]] FileLock {
 public:
  static Result<FileLock> take(const std::string& path) {
    for (;;) {
      UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
      int failed = file ? 0 : -1;
      while (failed == 0 && (failed = ::flock(file.get(), LOCK_EX)) != 0 && errno == EINTR) {
        failed = 0;
      }
      struct stat held {};
      struct stat named {};
      if (failed != 0 || ::fstat(file.get(), &held) != 0) {
        return Unexpected(system_error(errno, "locking '" + path + "'"));
      }
      if (::stat(path.c_str(), &named) == 0 && named.st_dev == held.st_dev &&
          named.st_ino == held.st_ino) {
        return FileLock(std::move(file), path);
      }
    }
  }
  FileLock(FileLock&&) noexcept = default;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock() {
    if (file_) {
      ::unlink(path_.c_str());
    }
  }

 private:
  FileLock(UniqueFd file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}

  UniqueFd file_;
  std::string path_;
};

Result<void> write_file(const std::string& path, std::string_view text) {
  const UniqueFd file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  const ssize_t written = file ? ::write(file.get(), text.data(), text.size()) : -1;
  if (written != static_cast<ssize_t>(text.size())) {
    const int cause = written < 0 ? errno : ENOSPC;
    ::unlink(path.c_str());
    return Unexpected(system_error(cause, "writing '" + path + "'"));
  }
  return {};
}

}  // namespace

std::string LibxlUserdata::path(char kind, DomId domain, const config::Uuid& uuid,
                                std::string_view user) const {
  return fmt::format("{}/userdata-{}.{}.{}.{}", directory_, kind, domain.value(), to_string(uuid),
                     user);
}

Result<void> LibxlUserdata::write(DomId domain, const config::Uuid& uuid,
                                  std::string_view json) const {
  XL_TRY_ASSIGN(const FileLock held, FileLock::take(path(lock, domain, uuid, lock_user)));
  const std::string from = path(unfinished, domain, uuid, config_user);
  const std::string to = path(data, domain, uuid, config_user);
  std::string text(json);
  text += '\0';  // libxl reads it as a C string
  XL_TRY(write_file(from, text));
  if (::rename(from.c_str(), to.c_str()) != 0) {
    return Unexpected(system_error(errno, "writing '" + to + "'"));
  }
  return {};
}

// Without the lock: the file is replaced as a whole.
Result<std::string> LibxlUserdata::read(DomId domain, const config::Uuid& uuid) const {
  const std::string from = path(data, domain, uuid, config_user);
  const UniqueFd file(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  std::string text;
  ssize_t got = file ? 1 : -1;
  while (got > 0 && text.size() <= max_config_bytes) {
    const std::size_t before = text.size();
    text.resize(before + read_chunk);
    got = ::read(file.get(), &text[before], read_chunk);
    text.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  }
  if (got < 0 || text.size() > max_config_bytes) {
    return Unexpected(system_error(got < 0 ? errno : EFBIG, "reading '" + from + "'"));
  }
  while (text.ends_with('\0')) {
    text.pop_back();
  }
  XL_TRY_DOING(config::stored_libxl_json(text), "reading '" + from + "'");
  return text;
}

// The lock goes last, by letting go of it.
Result<void> LibxlUserdata::remove(DomId domain, const config::Uuid& uuid) const {
  const std::string lock_file = path(lock, domain, uuid, lock_user);
  XL_TRY_ASSIGN(const FileLock held, FileLock::take(lock_file));
  const std::string middle = fmt::format(".{}.{}.", domain.value(), to_string(uuid));
  std::error_code error;
  std::vector<std::filesystem::path> ours;
  for (std::filesystem::directory_iterator entry(directory_, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with("userdata-") && name.substr(10).starts_with(middle) &&
        entry->path() != lock_file) {
      ours.push_back(entry->path());
    }
  }
  for (const std::filesystem::path& file : ours) {
    if (!error) {
      std::filesystem::remove(file, error);
    }
  }
  return error ? Unexpected(
                     system_error(error.value(), fmt::format("removing what '{}' has of domain {}",
                                                             directory_, domain.value())))
               : Result<void>();
}

std::string libxl_json(const config::DomainConfig& config) {
  return config::to_stored_libxl_json(config).dump(4) + '\n';
}

}  // namespace xl::toolstack
