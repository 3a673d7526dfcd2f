# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The tastytokend authors
# frozen_string_literal: true
#
# Runs the controller of docs/rails.md, taken from there, with as much of Rails around it as it uses. Each argument is a
# request of one person's browser: connect, disconnect, or the number of the authorization with which it comes back,
# counted from 0 as they were begun. Prints a line for each: where the browser is sent, or what it is told.

require "json"
require_relative "../../docs/clients/enroll"

module ActiveSupport
  module SecurityUtils
    def self.secure_compare(ours, theirs)
      ours == theirs
    end
  end
end

module Rails
  Log = Struct.new(:lines) do
    def warn(line)
      lines << line
    end
  end

  def self.logger
    @logger ||= Log.new([])
  end
end

# What a cookie keeps of a session: JSON, with strings for names.
class Session
  def initialize(text)
    @values = JSON.parse(text)
  end

  def [](name)
    @values[name.to_s]
  end

  def []=(name, value)
    @values[name.to_s] = value
  end

  def delete(name)
    @values.delete(name.to_s)
  end

  def to_cookie
    JSON.generate(@values)
  end
end

class ApplicationController
  User = Struct.new(:id)
  Reply = Struct.new(:headers)

  attr_reader :session, :params, :response, :outcome

  def self.before_action(*); end

  def initialize(session, params)
    @session = session
    @params = params
    @response = Reply.new({})
  end

  def current_user
    User.new(42)
  end

  def root_path
    "/"
  end

  def redirect_to(address, notice: nil, alert: nil, allow_other_host: false)
    @outcome = notice || alert || "#{address} #{allow_other_host}"
  end

  def render(plain:, status:)
    @outcome = "#{status}: #{plain} #{response.headers}"
  end
end

page = File.read(File.join(__dir__, "../../docs/rails.md"))
eval(page[/^```ruby\n(# app\/controllers.*?)^```$/m, 1])

cookie = "{}"
states = []
ARGV.each do |request|
  params = request =~ /\A\d+\z/ ? { state: states.fetch(request.to_i), code: "code-#{request}" } : {}
  controller = TastytradeController.new(Session.new(cookie), params)
  controller.public_send(params.empty? ? request : "callback")
  states << controller.outcome[/state=(\w+)/, 1] if request == "connect"
  cookie = controller.session.to_cookie
  abort "the cookie is too large" if cookie.bytesize > 1024
  puts controller.outcome
end
warn Rails.logger.lines
