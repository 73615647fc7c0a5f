// SPDX-License-Identifier: Apache-2.0
// Result<T, E>: a value or an error, with std::expected's names. Freestanding, [[nodiscard]], never
// throws. Reading the side that is not there is a bug and traps.
#pragma once

#include <new>
#include <type_traits>
#include <utility>

namespace xl {

template <typename E>
class Unexpected {
 public:
  constexpr explicit Unexpected(E error) : error_(std::move(error)) {}
  constexpr const E& error() const& { return error_; }
  constexpr E&& error() && { return std::move(error_); }

 private:
  E error_;
};

template <typename E>
Unexpected(E) -> Unexpected<E>;

struct Error;  // hosted default, base/error.hpp

template <typename T, typename E = Error>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  using error_type = E;

  template <typename U = T>
  requires(std::is_constructible_v<T, U&&> &&
           !std::is_same_v<std::remove_cvref_t<U>, Result>) constexpr Result(U&& value)
      : has_value_(true) {  // NOLINT: implicit, as std::expected
    ::new (static_cast<void*>(&value_)) T(std::forward<U>(value));
  }
  template <typename G>
  requires std::is_constructible_v<E, G&&>
  constexpr Result(Unexpected<G> unexpected) : has_value_(false) {  // NOLINT: implicit
    ::new (static_cast<void*>(&error_)) E(std::move(unexpected).error());
  }
  constexpr Result(Result&& other) noexcept : has_value_(other.has_value_) {
    take(std::move(other));
  }
  constexpr Result(const Result& other) : has_value_(other.has_value_) {
    if (has_value_) {
      ::new (static_cast<void*>(&value_)) T(other.value_);
    } else {
      ::new (static_cast<void*>(&error_)) E(other.error_);
    }
  }
  constexpr Result& operator=(Result other) noexcept {
    clear();
    has_value_ = other.has_value_;
    take(std::move(other));
    return *this;
  }
  constexpr ~Result() { clear(); }

  constexpr bool has_value() const { return has_value_; }
  constexpr explicit operator bool() const { return has_value_; }
  constexpr T& value() & { return need(true), value_; }
  constexpr const T& value() const& { return need(true), value_; }
  constexpr T&& value() && { return need(true), std::move(value_); }
  constexpr T& operator*() & { return value(); }
  constexpr const T& operator*() const& { return value(); }
  constexpr T&& operator*() && { return std::move(*this).value(); }
  constexpr T* operator->() { return &value(); }
  constexpr const T* operator->() const { return &value(); }
  constexpr E& error() & { return need(false), error_; }
  constexpr const E& error() const& { return need(false), error_; }
  constexpr E&& error() && { return need(false), std::move(error_); }
  template <typename U>
  constexpr T value_or(U&& fallback) const& {
    return has_value_ ? value_ : static_cast<T>(std::forward<U>(fallback));
  }

 private:
  constexpr void need(bool value) const {
    if (has_value_ != value) {
      __builtin_trap();
    }
  }
  constexpr void take(Result&& other) {
    if (has_value_) {
      ::new (static_cast<void*>(&value_)) T(std::move(other.value_));
    } else {
      ::new (static_cast<void*>(&error_)) E(std::move(other.error_));
    }
  }
  constexpr void clear() {
    if (has_value_) {
      value_.~T();
    } else {
      error_.~E();
    }
  }

  union {
    T value_;
    E error_;
  };
  bool has_value_;
};

template <typename E>
class [[nodiscard]] Result<void, E> {
 public:
  using value_type = void;
  using error_type = E;

  constexpr Result() : has_value_(true) {}
  template <typename G>
  requires std::is_constructible_v<E, G&&>
  constexpr Result(Unexpected<G> unexpected) : has_value_(false) {  // NOLINT: implicit
    ::new (static_cast<void*>(&error_)) E(std::move(unexpected).error());
  }
  constexpr Result(Result&& other) noexcept : has_value_(other.has_value_) {
    if (!has_value_) {
      ::new (static_cast<void*>(&error_)) E(std::move(other.error_));
    }
  }
  constexpr Result(const Result& other) : has_value_(other.has_value_) {
    if (!has_value_) {
      ::new (static_cast<void*>(&error_)) E(other.error_);
    }
  }
  constexpr Result& operator=(Result other) noexcept {
    clear();
    has_value_ = other.has_value_;
    if (!has_value_) {
      ::new (static_cast<void*>(&error_)) E(std::move(other.error_));
    }
    return *this;
  }
  constexpr ~Result() { clear(); }

  constexpr bool has_value() const { return has_value_; }
  constexpr explicit operator bool() const { return has_value_; }
  constexpr E& error() & { return need_error(), error_; }
  constexpr const E& error() const& { return need_error(), error_; }
  constexpr E&& error() && { return need_error(), std::move(error_); }

 private:
  constexpr void need_error() const {
    if (has_value_) {
      __builtin_trap();
    }
  }
  constexpr void clear() {
    if (!has_value_) {
      error_.~E();
    }
  }

  union {
    char none_;
    E error_;
  };
  bool has_value_;
};

}  // namespace xl

#define XL_CONCAT_(a, b) a##b
#define XL_CONCAT(a, b) XL_CONCAT_(a, b)

// XL_TRY(expr): leave the function with expr's error if it has one.
// XL_TRY_ASSIGN(auto x, expr): the same, else x = the value.
#define XL_TRY(expr)                                          \
  do {                                                        \
    if (auto xl_result_ = (expr); !xl_result_) {              \
      return ::xl::Unexpected(std::move(xl_result_).error()); \
    }                                                         \
  } while (false)
#define XL_TRY_ASSIGN(declaration, expr) \
  XL_TRY_ASSIGN_IMPL(XL_CONCAT(xl_result_, __LINE__), declaration, expr)
#define XL_TRY_ASSIGN_IMPL(result, declaration, expr)   \
  auto result = (expr);                                 \
  if (!result) {                                        \
    return ::xl::Unexpected(std::move(result).error()); \
  }                                                     \
  declaration = std::move(result).value()
