<?php
// How a client is asked: one line of JSON for each update it is to post, one line of JSON for each answer it got.
declare(strict_types=1);

const UPDATE = ['buyer_converted' => true, 'revenue' => 42.00, 'offer_converted' => true];

// What is asked, as a client needs it.
function understand(array $ask): array
{
    $jane = ['post_call_tokens' => ['first_name' => 'Jane']];
    $headers = [
        'basic_header' => 'Basic ' . base64_encode("{$ask['public']}:{$ask['private']}"),
        'token' => "Token {$ask['token']}",
        'token_quoted' => "Token token=\"{$ask['token']}\"",
        'bearer' => "Bearer {$ask['token']}",
    ];
    $documents = [
        'json' => UPDATE + ['post_call_tokens' => new stdClass()],
        'json_as_form' => UPDATE + ['post_call_tokens' => new stdClass()],
        'json_nested' => UPDATE + $jane,
        'json_empty_list' => UPDATE + ['post_call_tokens' => []],
    ];
    $forms = ['form' => UPDATE, 'nested_form' => UPDATE + $jane, 'multipart' => UPDATE + $jane];
    $query = ['query' => UPDATE, 'get' => UPDATE + $jane][$ask['body']] ?? [];
    if ($ask['credential'] === 'auth_token_query') {
        $query['auth_token'] = $ask['token'];
    }
    $secret = $ask['credential'] === 'auth_token_body' ? ['auth_token' => $ask['token']] : [];
    $url = $ask['url'];
    if ($ask['credential'] === 'basic_url') {
        $url = str_replace('://', "://{$ask['public']}:{$ask['private']}@", $url);
    }
    if ($query) {
        $url .= (str_contains($url, '?') ? '&' : '?') . http_build_query($query);
    }
    return [
        'body' => $ask['body'],
        'target' => $url,
        'method' => $ask['body'] === 'get' ? 'GET' : 'POST',
        'pair' => $ask['credential'] === 'basic_option' ? [$ask['public'], $ask['private']] : null,
        'authorization' => $headers[$ask['credential']] ?? null,
        'document' => isset($documents[$ask['body']]) ? $documents[$ask['body']] + $secret : null,
        'form' => isset($forms[$ask['body']]) ? $forms[$ask['body']] + $secret : null,
    ];
}

// A form whose nested names are written out, for what can't send arrays in arrays.
function written_out(array $form): array
{
    foreach ($form['post_call_tokens'] ?? [] as $name => $value) {
        $form["post_call_tokens[$name]"] = $value;
    }
    unset($form['post_call_tokens']);
    return $form;
}

// The headers of the last answer among header lines.
function read_headers(array $lines): array
{
    $headers = [];
    foreach ($lines as $line) {
        if (str_starts_with($line, 'HTTP/')) {
            $headers = [];
        } elseif (str_contains($line, ':')) {
            [$name, $value] = explode(':', $line, 2);
            $headers[strtolower($name)] = trim($value);
        }
    }
    return $headers;
}

// Post every update that is asked for, and tell status, headers and body of each answer.
function answer_all(callable $post): void
{
    while (($line = fgets(STDIN)) !== false) {
        [$status, $headers, $body] = $post(understand(json_decode($line, true)));
        echo json_encode(['status' => $status, 'headers' => $headers, 'body' => $body]), "\n";
    }
}
