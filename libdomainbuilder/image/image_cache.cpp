// SPDX-License-Identifier: Apache-2.0
#include "libdomainbuilder/image/image_cache.hpp"

#include <future>
#include <list>
#include <map>
#include <mutex>

#include "base/scope_exit.hpp"
#include "libdomainbuilder/image/image_file.hpp"
#include "libdomainbuilder/image/load_image.hpp"

namespace xl::build {

using ImagePointer = std::shared_ptr<const Image>;
using LoadResult = Result<ImagePointer>;

struct ImageCache::State {
  struct Entry {
    FileIdentity key;
    ImagePointer image;
  };

  explicit State(Bytes bound) : limit(bound) {}

  ImagePointer find(const FileIdentity& key);
  void keep(const FileIdentity& key, const ImagePointer& image);

  const Bytes limit;
  std::mutex mutex;          // guards all below; never held while a file is read
  std::list<Entry> entries;  // the most recently used first; few, so a list is searched
  std::map<FileIdentity, std::shared_future<LoadResult>> loading;
  Statistics statistics;
};

ImagePointer ImageCache::State::find(const FileIdentity& key) {
  for (auto entry = entries.begin(); entry != entries.end(); ++entry) {
    if (entry->key == key) {
      entries.splice(entries.begin(), entries, entry);
      return entry->image;
    }
  }
  return nullptr;
}

void ImageCache::State::keep(const FileIdentity& key, const ImagePointer& image) {
  if (image->resident() > limit) {
    return;
  }
  entries.push_front({key, image});
  statistics.resident += image->resident();
  while (statistics.resident > limit) {
    statistics.resident -= entries.back().image->resident();
    entries.pop_back();
    ++statistics.evictions;
  }
}

ImageCache::ImageCache(Bytes limit) : state_(std::make_unique<State>(limit)) {}
ImageCache::~ImageCache() = default;

LoadResult ImageCache::get(const std::string& path) {
  XL_TRY_ASSIGN(Found found, find(path));
  return std::move(found.image);
}

Result<ImageCache::Found> ImageCache::find(const std::string& path) {
  XL_TRY_ASSIGN(const OpenFile file, open_file(path, "a kernel"));
  std::promise<LoadResult> promise;
  {
    std::unique_lock lock(state_->mutex);
    if (ImagePointer image = state_->find(file.identity)) {
      ++state_->statistics.hits;
      return Found{std::move(image), true};
    }
    if (const auto other = state_->loading.find(file.identity); other != state_->loading.end()) {
      ++state_->statistics.hits;
      const std::shared_future<LoadResult> pending = other->second;
      lock.unlock();
      XL_TRY_ASSIGN(ImagePointer image, pending.get());
      return Found{std::move(image), true};
    }
    ++state_->statistics.misses;
    state_->loading.emplace(file.identity, promise.get_future().share());
  }
  // Also when memory runs out: those who wait get the broken promise, the next one tries again.
  const ScopeExit forget([&] {
    const std::lock_guard lock(state_->mutex);
    state_->loading.erase(file.identity);
  });
  LoadResult result = load_image(file);
  if (result) {
    const std::lock_guard lock(state_->mutex);
    state_->keep(file.identity, *result);
  }
  promise.set_value(result);
  XL_TRY_ASSIGN(ImagePointer image, std::move(result));
  return Found{std::move(image), false};
}

ImageCache::Statistics ImageCache::statistics() const {
  const std::lock_guard lock(state_->mutex);
  Statistics now = state_->statistics;
  now.images = state_->entries.size();
  return now;
}

void ImageCache::clear() {
  std::list<State::Entry> dropped;  // freed outside the lock
  const std::lock_guard lock(state_->mutex);
  dropped.swap(state_->entries);
  state_->statistics.resident = Bytes(0);
}

}  // namespace xl::build
