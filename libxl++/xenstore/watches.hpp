// SPDX-License-Identifier: Apache-2.0
// The watches of all connections, found by path: an event looks at as many places as its path has
// levels, whatever the number of watches.
//
// Thread rule: the Server's lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace xl::xenstore {

class Connection;

struct Watch {
  Connection* owner = nullptr;
  std::string path;   // absolute, or special
  std::string token;  // the client's own
  std::size_t relative_prefix =
      0;  // bytes to cut off an event's path, as the client asked relatively
  std::optional<std::uint32_t> depth;  // levels below path that count
};

class WatchIndex {
 public:
  // The watch stays where it is until remove().
  void add(const Watch& watch);
  void remove(const Watch& watch);
  std::size_t size() const { return size_; }

  using Visitor = std::function<void(const Watch&)>;
  // Each watch that an event on `path` concerns: those on it and, unless `exact`, those on its
  // parents.
  void visit(std::string_view path, bool exact, const Visitor& visitor) const;
  // Those on a special path that ask for what lies one level below it, and only those; visit()
  // leaves them out.
  void visit_children_of(std::string_view special, const Visitor& visitor) const;

 private:
  void visit_at(std::string_view watched, std::string_view path, const Visitor& visitor) const;

  std::size_t size_ = 0;
  struct PathHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view path) const {
      return std::hash<std::string_view>{}(path);
    }
  };
  std::unordered_map<std::string, std::vector<const Watch*>, PathHash, std::equal_to<>> by_path_;
};

}  // namespace xl::xenstore
