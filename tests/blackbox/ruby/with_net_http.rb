# frozen_string_literal: true

# A client with Net::HTTP, asked as the others are: one line of JSON for each update, one line of JSON for each answer.
require 'json'
require 'net/http'

UPDATE = { buyer_converted: true, revenue: 42.0, offer_converted: true }.freeze
TEXTS = { 'buyer_converted' => 'true', 'revenue' => '42.00', 'offer_converted' => 'true' }.freeze
NESTED = TEXTS.merge('post_call_tokens[first_name]' => 'Jane').freeze
DOCUMENTS = {
  'json' => UPDATE.merge(post_call_tokens: {}),
  'json_as_form' => UPDATE.merge(post_call_tokens: {}),
  'json_nested' => UPDATE.merge(post_call_tokens: { first_name: 'Jane' }),
  'json_empty_list' => UPDATE.merge(post_call_tokens: [])
}.freeze
FORMS = { 'form' => TEXTS, 'nested_form' => NESTED, 'multipart' => NESTED }.freeze
QUERIES = { 'query' => TEXTS, 'get' => NESTED }.freeze

def target_of(ask)
  target = URI(ask['url'])
  query = URI.decode_www_form(target.query || '').to_h.merge(QUERIES.fetch(ask['body'], {}))
  query['auth_token'] = ask['token'] if ask['credential'] == 'auth_token_query'
  target.query = URI.encode_www_form(query) unless query.empty?
  target
end

def authorization_of(ask)
  pair = ["#{ask['public']}:#{ask['private']}"].pack('m0')
  { 'basic_header' => "Basic #{pair}", 'token' => "Token #{ask['token']}",
    'token_quoted' => "Token token=\"#{ask['token']}\"", 'bearer' => "Bearer #{ask['token']}" }[ask['credential']]
end

def request_of(ask)
  body = ask['body']
  request = (body == 'get' ? Net::HTTP::Get : Net::HTTP::Post).new(target_of(ask))
  secret = ask['credential'] == 'auth_token_body' ? { 'auth_token' => ask['token'] } : {}
  if DOCUMENTS.key?(body)
    request.body = JSON.generate(DOCUMENTS[body].merge(secret))
    request.content_type = body == 'json_as_form' ? 'application/x-www-form-urlencoded' : 'application/json'
  elsif FORMS.key?(body)
    form = FORMS[body].merge(secret)
    body == 'multipart' ? request.set_form(form.to_a, 'multipart/form-data') : request.set_form_data(form)
  end
  request['Authorization'] = authorization_of(ask) if authorization_of(ask)
  request.basic_auth(ask['public'], ask['private']) if ask['credential'] == 'basic_option'
  request
end

$stdout.sync = true
$stdin.each_line do |line|
  request = request_of(JSON.parse(line))
  response = Net::HTTP.start(request.uri.hostname, request.uri.port, read_timeout: 30) { |http| http.request(request) }
  puts JSON.generate(status: response.code.to_i, headers: response.each_header.to_h, body: response.body)
end
