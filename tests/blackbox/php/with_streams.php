<?php
// A client with nothing but PHP's own file_get_contents.
declare(strict_types=1);

require __DIR__ . '/asking.php';

answer_all(function (array $ask): array {
    $headers = $ask['authorization'] ? ["Authorization: {$ask['authorization']}"] : [];
    $options = ['method' => $ask['method'], 'ignore_errors' => true, 'timeout' => 30];
    if ($ask['document'] !== null) {
        $options['content'] = json_encode($ask['document']);
        if ($ask['body'] !== 'json_as_form') {
            $headers[] = 'Content-Type: application/json';
        }
    } elseif ($ask['form'] !== null) {
        $options['content'] = http_build_query($ask['form']);
        $headers[] = 'Content-Type: application/x-www-form-urlencoded';
    }
    $context = stream_context_create(['http' => $options + ['header' => $headers]]);
    $body = @file_get_contents($ask['target'], false, $context); // it would say that it labels JSON as a form
    $status = (int) explode(' ', $http_response_header[0])[1];
    return [$status, read_headers($http_response_header), $body];
});
