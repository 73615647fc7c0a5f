// SPDX-License-Identifier: Apache-2.0
#include "libxl++/xenstore/first_writes.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "libxl++/xenstore/path.hpp"
#include "libxl++/xenstore/xs_wire.hpp"

namespace xl::xenstore {
namespace {

// What is known of the permissions of nodes that are about to be written.
class KnownPermissions {
 public:
  // Null if nothing is known. A node that is not known has its parent's, as it is yet to be made.
  PermissionsRef of(std::string_view path) const {
    for (; path != "/"; path = parent_of(path)) {
      if (const auto found = known_.find(path); found != known_.end()) {
        return found->second;
      }
    }
    return nullptr;
  }
  void set(std::string_view path, PermissionsRef permissions) {
    known_[path] = std::move(permissions);
  }

 private:
  std::unordered_map<std::string_view, PermissionsRef> known_;
};

// Which nodes a later one makes by the way, as its parents.
std::vector<bool> made_by_the_way(std::span<const NodeSpec> nodes) {
  std::vector<bool> made(nodes.size());
  std::unordered_set<std::string_view> parents;
  for (std::size_t i = nodes.size(); i-- > 0;) {
    const std::string_view path = nodes[i].path;
    made[i] = parents.contains(path);
    for (std::string_view parent = parent_of(path); parent != "/" && parents.insert(parent).second;
         parent = parent_of(parent)) {
    }
  }
  return made;
}

}  // namespace

std::string strings(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) {
    text += part;
    text += '\0';
  }
  return text;
}

HostRequest write_request(const NodeSpec& node) {
  return {XS_WRITE, strings({node.path}) + node.value};
}

HostRequest permissions_request(const NodeSpec& node) {
  std::string payload = strings({node.path});
  for (const Permission& permission : *node.permissions) {
    payload += strings({to_string(permission)});
  }
  return {XS_SET_PERMS, std::move(payload)};
}

FirstWrites first_writes(std::span<const NodeSpec> nodes) {
  const std::vector<bool> by_the_way = made_by_the_way(nodes);
  KnownPermissions known;
  FirstWrites writes;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const NodeSpec& node = nodes[i];
    const PermissionsRef before = known.of(node.path);
    const bool sets =
        node.permissions != nullptr && (before == nullptr || *node.permissions != *before);
    if (sets) {
      known.set(node.path, node.permissions);
    }
    NodeWrite write{node.path, {}};
    if (sets || !node.value.empty() || !by_the_way[i]) {
      write.requests.push_back(write_request(node));
    }
    if (sets) {
      write.requests.push_back(permissions_request(node));
    }
    (sets && by_the_way[i] ? writes.directories : writes.leaves).push_back(std::move(write));
  }
  return writes;
}

std::vector<Share> share_directories(std::span<const NodeWrite> directories, std::size_t lanes) {
  std::vector<Share> shares(lanes);
  std::vector<std::size_t> lane_of;
  for (const NodeWrite& write : directories) {
    std::size_t lane = lane_of.size() % lanes;
    for (std::size_t i = 0; i < lane_of.size(); ++i) {
      if (is_within(write.path, directories[i].path)) {
        lane = lane_of[i];
      }
    }
    lane_of.push_back(lane);
    shares[lane].insert(shares[lane].end(), write.requests.begin(), write.requests.end());
  }
  return shares;
}

std::vector<Share> share_leaves(std::span<const NodeWrite> leaves, std::size_t lanes) {
  std::vector<Share> shares(lanes);
  for (const NodeWrite& write : leaves) {
    Share& least = *std::min_element(
        shares.begin(), shares.end(),
        [](const Share& one, const Share& other) { return one.size() < other.size(); });
    least.insert(least.end(), write.requests.begin(), write.requests.end());
  }
  return shares;
}

}  // namespace xl::xenstore
