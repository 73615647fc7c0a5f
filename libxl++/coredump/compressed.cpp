// SPDX-License-Identifier: Apache-2.0
// Compressors as outputs. Memory is memory that a person waits for, so both work at their quick
// levels.
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <vector>

#include "libxl++/coredump/output.hpp"

namespace xl::coredump {
namespace {

constexpr std::size_t buffer_size = 128 * 1024;
constexpr int zstd_level = 1;
constexpr int gzip_level = 1;
constexpr int gzip_window = 15 + 16;  // zlib's way to say gzip

// What both share: zeros are bytes to a compressor.
class Compressor : public Output {
 public:
  explicit Compressor(Output& under) : under_(under), buffer_(buffer_size) {}
  Result<void> zeros(std::uint64_t count) override {
    static constexpr std::array<std::byte, 64 * 1024> none{};
    while (count > 0) {
      const std::uint64_t part = std::min<std::uint64_t>(count, none.size());
      XL_TRY(write(std::span(none).first(static_cast<std::size_t>(part))));
      count -= part;
    }
    return {};
  }

 protected:
  Result<void> pass_on(std::size_t size) {
    return size == 0 ? Result<void>() : under_.write(std::span(buffer_).first(size));
  }

  Output& under_;
  std::vector<std::byte> buffer_;
};

class ZstdOutput final : public Compressor {
 public:
  using Compressor::Compressor;
  ~ZstdOutput() override { ZSTD_freeCCtx(context_); }

  Result<void> start() {
    context_ = ZSTD_createCCtx();
    if (context_ == nullptr ||
        ZSTD_isError(ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, zstd_level)) != 0 ||
        ZSTD_isError(ZSTD_CCtx_setParameter(context_, ZSTD_c_checksumFlag, 1)) != 0) {
      return fail(ErrorId::daemon_out_of_memory, "zstd cannot be set up");
    }
    return {};
  }
  Result<void> write(std::span<const std::byte> bytes) override {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    while (in.pos < in.size) {
      XL_TRY(step(in, ZSTD_e_continue));
    }
    return {};
  }
  Result<void> finish() override {
    ZSTD_inBuffer in{nullptr, 0, 0};
    for (std::size_t left = 1; left > 0;) {
      XL_TRY_ASSIGN(left, step(in, ZSTD_e_end));
    }
    return under_.finish();
  }

 private:
  // What zstd still keeps.
  Result<std::size_t> step(ZSTD_inBuffer& in, ZSTD_EndDirective how) {
    ZSTD_outBuffer out{buffer_.data(), buffer_.size(), 0};
    const std::size_t left = ZSTD_compressStream2(context_, &out, &in, how);
    if (ZSTD_isError(left) != 0) {
      return fail(ErrorCode::io, std::string("zstd: ") + ZSTD_getErrorName(left));
    }
    XL_TRY(pass_on(out.pos));
    return left;
  }

  ZSTD_CCtx* context_ = nullptr;
};

class GzipOutput final : public Compressor {
 public:
  using Compressor::Compressor;
  ~GzipOutput() override { ::deflateEnd(&stream_); }

  Result<void> start() {
    if (::deflateInit2(&stream_, gzip_level, Z_DEFLATED, gzip_window, MAX_MEM_LEVEL,
                       Z_DEFAULT_STRATEGY) != Z_OK) {
      return fail(ErrorId::daemon_out_of_memory, "gzip cannot be set up");
    }
    return {};
  }
  Result<void> write(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const std::size_t part = std::min<std::size_t>(bytes.size(), 1U << 30);
      // zlib does not write through it, but says so only when it is built for that.
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
      stream_.avail_in = static_cast<uInt>(part);
      while (stream_.avail_in > 0) {
        XL_TRY(step(Z_NO_FLUSH));
      }
      bytes = bytes.subspan(part);
    }
    return {};
  }
  Result<void> finish() override {
    for (int state = Z_OK; state != Z_STREAM_END;) {
      XL_TRY_ASSIGN(state, step(Z_FINISH));
    }
    return under_.finish();
  }

 private:
  Result<int> step(int flush) {
    stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
    stream_.avail_out = static_cast<uInt>(buffer_.size());
    const int state = ::deflate(&stream_, flush);
    if (state == Z_STREAM_ERROR) {
      return fail(ErrorCode::io, "gzip refuses to compress");
    }
    XL_TRY(pass_on(buffer_.size() - stream_.avail_out));
    return state;
  }

  z_stream stream_{};
};

template <typename Kind>
Result<std::unique_ptr<Output>> started(Output& under) {
  auto made = std::make_unique<Kind>(under);
  XL_TRY(made->start());
  return std::unique_ptr<Output>(std::move(made));
}

class PassingOutput final : public Output {
 public:
  explicit PassingOutput(Output& under) : under_(under) {}
  Result<void> write(std::span<const std::byte> bytes) override { return under_.write(bytes); }
  Result<void> zeros(std::uint64_t count) override { return under_.zeros(count); }
  Result<void> finish() override { return under_.finish(); }

 private:
  Output& under_;
};

}  // namespace

Result<std::unique_ptr<Output>> compressed(Compression compression, Output& under) {
  switch (compression) {
    case Compression::zstd: return started<ZstdOutput>(under);
    case Compression::gzip: return started<GzipOutput>(under);
    case Compression::none: break;
  }
  return std::unique_ptr<Output>(std::make_unique<PassingOutput>(under));
}

}  // namespace xl::coredump
