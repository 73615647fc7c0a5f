// SPDX-License-Identifier: Apache-2.0
#include <sys/socket.h>

#include <cerrno>
#include <charconv>

#include "libxl++/api/http_client.hpp"
#include "libxl++/api/http_text.hpp"

namespace xl::api {
namespace http_text {

Error garbled(std::string_view what) {
  return make_error(ErrorId::daemon_bad_answer, "xld's answer is not HTTP: " + std::string(what),
                    "`xl doctor` compares the versions of xl and xld");
}

bool parse_size(std::string_view text, int base, std::size_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return error == std::errc() && end != text.data() && out <= max_body;
}

Result<std::size_t> receive_into(int fd, std::string& buffer) {
  const std::size_t before = buffer.size();
  buffer.resize(before + 16 * 1024);
  ssize_t got = 0;
  do {
    got = ::recv(fd, buffer.data() + before, buffer.size() - before, 0);
  } while (got < 0 && errno == EINTR);
  const int error = errno;
  buffer.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
  if (got < 0) {
    return Unexpected(system_error(error, "reading from xld"));
  }
  return static_cast<std::size_t>(got);
}

}  // namespace http_text

using namespace http_text;  // NOLINT: made for these two files

Result<bool> LineStream::fill() {
  if (ended_) {
    return false;
  }
  XL_TRY_ASSIGN(const std::size_t got, receive_into(fd_.get(), raw_));
  ended_ = got == 0;
  XL_TRY(unchunk());
  return !ended_;
}

Result<void> LineStream::unchunk() {
  while (true) {
    if (chunk_left_ > 0) {
      const std::size_t taken = chunk_left_ < raw_.size() ? chunk_left_ : raw_.size();
      text_.append(raw_, 0, taken);
      raw_.erase(0, taken);
      chunk_left_ -= taken;
      if (chunk_left_ > 0) {
        return {};
      }
      text_.resize(text_.size() - 2);  // the CR LF behind the chunk
    }
    const std::size_t eol = raw_.find("\r\n");
    if (eol == std::string::npos) {
      return raw_.size() > max_head ? Result<void>(Unexpected(garbled("endless chunk size")))
                                    : Result<void>();
    }
    std::size_t size = 0;
    if (!parse_size(std::string_view(raw_).substr(0, eol), 16, size)) {
      return Unexpected(garbled("bad chunk size"));
    }
    raw_.erase(0, eol + 2);
    if (size == 0) {
      ended_ = ended_well_ = true;
      return {};
    }
    chunk_left_ = size + 2;
  }
}

Result<std::optional<std::string>> LineStream::take_line() {
  XL_TRY(ended_ ? Result<void>() : unchunk());
  const std::size_t eol = text_.find('\n');
  if (eol == std::string::npos) {
    return std::optional<std::string>();
  }
  std::string line = text_.substr(0, eol);
  text_.erase(0, eol + 1);
  return std::optional<std::string>(std::move(line));
}

}  // namespace xl::api
