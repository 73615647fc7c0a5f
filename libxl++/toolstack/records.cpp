// SPDX-License-Identifier: Apache-2.0
#include "libxl++/toolstack/records.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

namespace xl::toolstack {
namespace {

constexpr std::string_view record_end = ".json";
constexpr std::string_view console_end = ".console";
constexpr std::string_view damaged_end = ".damaged";
constexpr std::string_view unfinished_end = ".new";
constexpr std::size_t uuid_length = 36;
constexpr std::size_t record_limit = 64 << 10;  // bytes; the largest that we write has a tenth

struct Key {
  config::Uuid handle;
  std::uint64_t number = 0;
};

std::optional<Key> parse_key(std::string_view text) {
  if (text.size() < uuid_length + 2 || text[uuid_length] != '.') {
    return std::nullopt;
  }
  const auto uuid = config::Uuid::parse(text.substr(0, uuid_length));
  Key key;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data() + uuid_length + 1, last, key.number);
  if (!uuid || error != std::errc{} || end != last) {
    return std::nullopt;
  }
  key.handle = *uuid;
  return key;
}

}  // namespace

Result<std::unique_ptr<Records>> Records::open(const std::string& runtime_dir) {
  std::unique_ptr<Records> records(new Records(runtime_dir + "/domains"));
  if (runtime_dir.empty()) {
    return records;
  }
  std::error_code error;
  std::filesystem::create_directories(runtime_dir, error);
  if (::mkdir(records->directory_.c_str(), 0700) != 0 && errno != EEXIST) {
    return Unexpected(system_error(errno, "making the folder '" + records->directory_ + "'"));
  }
  records->folder_ = UniqueFd(
      ::open(records->directory_.c_str(), O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!records->folder_) {
    return Unexpected(system_error(errno, "opening the folder '" + records->directory_ + "'"));
  }
  return records;
}

std::string Records::new_key(const config::Uuid& handle) {
  return to_string(handle) + '.' + std::to_string(++last_number_);
}

std::string Records::console_path(const std::string& key) const {
  return folder_ ? directory_ + '/' + key + std::string(console_end) : std::string();
}

Result<void> Records::write(const std::string& key, const Record& record) {
  if (!folder_) {
    return {};
  }
  const std::string text = to_text(record);
  const std::string name = key + std::string(record_end);
  const std::string unfinished = name + std::string(unfinished_end);
  UniqueFd file(::openat(folder_.get(), unfinished.c_str(),
                         O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  const ssize_t written = file ? ::write(file.get(), text.data(), text.size()) : -1;
  const bool whole = written == static_cast<ssize_t>(text.size());
  if (!whole || ::renameat(folder_.get(), unfinished.c_str(), folder_.get(), name.c_str()) != 0) {
    const int cause = written >= 0 && !whole ? ENOSPC : errno;
    ::unlinkat(folder_.get(), unfinished.c_str(), 0);
    return Unexpected(system_error(cause, "writing the record '" + directory_ + '/' + name + "'"));
  }
  return {};
}

void Records::remove(const std::string& key) {
  if (!folder_ || key.empty()) {
    return;
  }
  remove_console(key);
  const std::string name = key + std::string(record_end);
  if (::unlinkat(folder_.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
    spdlog::error("{}", describe(system_error(errno, "removing the record '" + name + "'")));
  }
}

void Records::remove_console(const std::string& key) {
  if (folder_) {
    ::unlinkat(folder_.get(), (key + std::string(console_end)).c_str(), 0);  // there may be none
  }
}

Result<Record> Records::read(const std::string& name) const {
  const UniqueFd file(
      ::openat(folder_.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file) {
    return Unexpected(system_error(errno, "opening it"));
  }
  std::string text(record_limit, '\0');
  const ssize_t size = ::read(file.get(), text.data(), text.size());
  if (size < 0) {
    return Unexpected(system_error(errno, "reading it"));
  }
  text.resize(static_cast<std::size_t>(size));
  return parse_record(text);
}

void Records::sort_out(const std::string& name, Contents& contents) {
  const std::size_t stem = name.rfind('.');
  const std::string_view end = std::string_view(name).substr(stem == name.npos ? 0 : stem);
  const std::optional<Key> key = parse_key(std::string_view(name).substr(0, stem));
  if (key) {
    last_number_ = std::max(last_number_.load(), key->number);
  }
  if (end == unfinished_end) {
    ::unlinkat(folder_.get(), name.c_str(), 0);
  }
  if (end != record_end || !key) {
    return;
  }
  std::string key_text = name.substr(0, stem);
  if (auto record = read(name)) {
    contents.entries.push_back({std::move(key_text), key->handle, std::move(record).value()});
    return;
  } else {
    spdlog::error("the record '{}/{}' is damaged, and kept aside: {}", directory_, name,
                  describe(record.error()));
  }
  const std::string aside = key_text + std::string(damaged_end);
  ::renameat(folder_.get(), name.c_str(), folder_.get(), aside.c_str());
  contents.damaged.push_back({std::move(key_text), key->handle});
}

Records::Contents Records::load() {
  Contents contents;
  if (!folder_) {
    return contents;
  }
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory_, error), end; entry != end && !error;
       entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    sort_out(name, contents);
  }
  return contents;
}

}  // namespace xl::toolstack
